import { layersOf, platformOf } from '../../oci/image.js';
import type { Json } from '../../values/error.js';
import { formatPlatform, parsePlatform, samePlatform } from '../../values/platform.js';
import type { CheckedImage } from '../check-image.js';
import type { Policy } from '../policy.js';
import type { Violation, ViolationCode } from '../violation.js';

/** What manifest and config say of how an image is run. */
export function configRules(checked: CheckedImage, policy: Policy): readonly Violation[] {
  const run = checked.image.config.value.config ?? {};
  const member = (name: string) => (run[name] ?? undefined) as Json | undefined;
  return [
    ...platformRule(checked, policy.platforms),
    ...layerRules(checked, policy),
    ...portRules(member('ExposedPorts'), policy.ports),
    ...amongNames('RST_VOLUME', keysOf(member('Volumes')), policy.volumes, 'leave the volume out of the image'),
    ...envRules(run.Env ?? [], policy.env),
    ...amongNames(
      'RST_ENTRYPOINT',
      [run.Entrypoint?.[0] ?? ''],
      policy.entrypoint,
      'start the image with another program',
    ),
    ...amongNames('RST_STOP_SIGNAL', [run.StopSignal ?? 'SIGTERM'], policy.stopSignal, 'name another StopSignal'),
    ...healthRule(member('Healthcheck'), policy.healthcheck),
    ...createdRule(checked, policy.created),
  ];
}

function platformRule({ image }: CheckedImage, platforms: Policy['platforms']): readonly Violation[] {
  const platform = platformOf(image);
  if (platforms === undefined || platforms.some((text) => samePlatform(parsePlatform(text), platform))) return [];
  const hint = 'build the image for another platform';
  return [{ code: 'RST_PLATFORM', got: formatPlatform(platform), limit: platforms, hint }];
}

function layerRules({ image }: CheckedImage, { mediaTypes, foreignLayers }: Policy): readonly Violation[] {
  return layersOf(image).flatMap(({ descriptor: { mediaType, urls } }, layer): readonly Violation[] => {
    const isForeign = urls !== undefined || /nondistributable|foreign/.test(mediaType);
    return [
      ...(mediaTypes === undefined || mediaTypes.includes(mediaType)
        ? []
        : [
            {
              code: 'RST_MEDIA_TYPE',
              layer,
              got: mediaType,
              limit: mediaTypes,
              hint: 'compress the layer in another way',
            } as const,
          ]),
      ...(foreignLayers === undefined || !isForeign
        ? []
        : [
            {
              code: 'RST_FOREIGN_LAYER',
              layer,
              got: urls ?? mediaType,
              limit: foreignLayers,
              hint: 'ship the layer with the image',
            } as const,
          ]),
    ];
  });
}

function portRules(exposed: Json | undefined, rules: Policy['ports']): readonly Violation[] {
  if (rules === undefined) return [];
  const { min, max, allow = [] } = rules;
  const isRanged = min !== undefined || max !== undefined;
  return keysOf(exposed).flatMap((text): readonly Violation[] => {
    const port = Number(/^(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/.exec(text)?.[1] ?? Number.NaN);
    const isInRange = isRanged && port >= (min ?? 1) && port <= (max ?? 65_535);
    if (port >= 1 && port <= 65_535 && (isInRange || allow.includes(port))) return [];
    return [{ code: 'RST_PORT', got: text, limit: { ...rules }, hint: 'let the app listen on another port' }];
  });
}

function envRules(env: readonly string[], rules: Policy['env']): readonly Violation[] {
  const { denyNames = [], maxBytes } = rules ?? {};
  const names = new Set(env.map((line) => line.split('=', 1)[0] ?? ''));
  const bytes = env.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  return [
    ...[...names].flatMap((name): readonly Violation[] => {
      const denied = denyNames.find((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
      const hint = 'take the variable out of the image: give it to the process where it is started';
      return denied === undefined ? [] : [{ code: 'RST_ENV_NAME', got: name, limit: denied, hint }];
    }),
    ...(maxBytes === undefined || bytes <= maxBytes
      ? []
      : [{ code: 'RST_ENV_BYTES', got: bytes, limit: maxBytes, hint: 'take variables out of the image' } as const]),
  ];
}

function healthRule(health: Json | undefined, rule: Policy['healthcheck']): readonly Violation[] {
  const test = typeof health === 'object' && health !== null && 'Test' in health ? health['Test'] : undefined;
  const has = health !== undefined && !(Array.isArray(test) && (test.length === 0 || test[0] === 'NONE'));
  if (rule === undefined || has === (rule === 'require')) return [];
  return [
    {
      code: 'RST_HEALTHCHECK',
      got: has,
      limit: rule,
      hint: `${has ? 'take the' : 'give the image a'} Healthcheck${has ? ' out' : ''}`,
    },
  ];
}

function createdRule({ image, now }: CheckedImage, rule: Policy['created']): readonly Violation[] {
  const { created } = image.config.value;
  if (rule === undefined || created === undefined || Date.parse(created) <= now + rule.maxSkewSeconds * 1000) return [];
  return [{ code: 'RST_CREATED', got: created, limit: rule.maxSkewSeconds, hint: 'build it where the clock is right' }];
}

function amongNames(
  code: ViolationCode,
  found: readonly string[],
  allowed: readonly string[] | undefined,
  hint: string,
): readonly Violation[] {
  if (allowed === undefined) return [];
  return found.filter((name) => !allowed.includes(name)).map((got) => ({ code, got, limit: allowed, hint }));
}

/** Of a set as the image-spec writes it. What is no such thing is told as it is, and is in no list. */
function keysOf(set: Json | undefined): readonly string[] {
  if (set === undefined || set === null) return [];
  return typeof set === 'object' && !Array.isArray(set) ? Object.keys(set) : [JSON.stringify(set).slice(0, 200)];
}

import type { Inspection } from '../../inspect.js';
import { inspect } from '../../inspect.js';
import { formatPlatform, parsePlatform } from '../../values/platform.js';
import { hostPlatform } from '../environment.js';
import type { InspectFlags } from '../flags/inspect.js';
import type { Outcome, Session } from '../session.js';

export async function runInspect(
  [image = '']: readonly string[],
  flags: InspectFlags,
  session: Session,
): Promise<Outcome> {
  const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
  const inspection = await inspect({ image, platform, cacheDir: session.cacheDir }, session.tools);
  return { data: inspectionJson(inspection), text: describe(inspection).join('\n') };
}

function describe(inspection: Inspection): readonly string[] {
  const { digest, index, platform, parts, notOurs, layers } = inspection;
  const head = [
    `digest      ${digest}`,
    ...(index === undefined ? [] : [`index       ${index} (this is its image for one platform)`]),
    `platform    ${formatPlatform(platform)}`,
  ];
  if (parts === undefined) return [...head, `layers      ${layers.length}`, `not an image of pack-build: ${notOurs}`];
  const { app, base } = parts;
  return [
    ...head,
    `created     ${app.created}`,
    `base        ${base.name ?? '(without a name)'} ${base.digest}`,
    `build base  ${app.buildBase.name ?? '(without a name)'} ${app.buildBase.digest}`,
    `stack       ${app.stack}`,
    ...app.buildpacks.map(({ id, name, version }) => `buildpack   ${name} (${id} ${version})`),
    ...Object.entries(app.processes).map(
      ([type, command]) => `process     ${type}: ${command}${app.cmd[0] === type ? '   (default)' : ''}`,
    ),
    ...Object.entries(app.env).map(
      ([name, value]) => `env         ${name}${value === null ? ' is unset' : `=${value}`}`,
    ),
    ...base.layers.map(({ descriptor }) => `layer       ${descriptor.digest} ${size(descriptor.size)}  base`),
    ...app.layers.map(({ descriptor, name }) => `layer       ${descriptor.digest} ${size(descriptor.size)}  ${name}`),
  ];
}

function size(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(8)} MB`;
}

function inspectionJson({ digest, name, index, platform, parts, notOurs, layers, config }: Inspection): object {
  const flat = layers.map(({ diffId, descriptor }) => ({
    diffId,
    digest: descriptor.digest,
    size: descriptor.size,
    mediaType: descriptor.mediaType,
  }));
  return {
    digest,
    name: name ?? null,
    index: index ?? null,
    platform,
    layers: flat,
    config,
    app: parts?.app ?? null,
    base: parts?.base ?? null,
    notOurs: notOurs ?? null,
  };
}

import type { Inspection } from '../../inspect.js';
import { inspect } from '../../inspect.js';
import type { Layer } from '../../oci/image.js';
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
  const inspection = await inspect(
    { image, platform, files: flags.files === true && session.json, cacheDir: session.cacheDir },
    session.tools,
  );
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

/** What programs read, policy engines among them: docs/policy.md tells of each field. */
function inspectionJson(inspection: Inspection): object {
  const { digest, name, index, platform, parts, notOurs, layers, config, image } = inspection;
  const manifest = image.manifest.value;
  const stored = layers.reduce((sum, { descriptor }) => sum + descriptor.size, image.config.descriptor.size);
  return {
    digest,
    name: name ?? null,
    index: index ?? null,
    platform,
    size: stored,
    mediaType: image.manifest.descriptor.mediaType,
    annotations: manifest.annotations ?? {},
    layers: layers.map((_, at) => layerJson(inspection, at)),
    config,
    app: parts?.app ?? null,
    base: parts?.base ?? null,
    notOurs: notOurs ?? null,
  };
}

function layerJson({ layers, parts, scans }: Inspection, at: number): object {
  const { diffId, descriptor } = layers[at] as Layer;
  const { digest, size, mediaType, urls } = descriptor;
  const ofBase = parts === undefined ? null : at < parts.base.layers.length;
  const scan = scans === undefined ? {} : { tar: scans[at]?.bytes ?? null, entries: scans[at]?.entries ?? null };
  return { diffId, digest, size, mediaType, ...(urls === undefined ? {} : { urls }), ofBase, ...scan };
}

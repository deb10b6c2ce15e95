import { digestOfImage, labelsOf, layersOf } from '../../oci/image.js';
import { formatPlatform, parsePlatform } from '../../values/platform.js';
import { hostPlatform } from '../environment.js';
import type { CreateFlags, OutdatedFlags, ResolveFlags } from '../flags/base.js';
import type { Outcome, Session } from '../session.js';

export async function runBaseCreate(
  [suite = '']: readonly string[],
  flags: CreateFlags,
  session: Session,
): Promise<Outcome> {
  const { baseCreate } = await import('../../base-create.js');
  const include = (flags.include ?? []).flatMap((list) => list.split(',')).filter((name) => name !== '');
  const images = await baseCreate(
    { suite, to: flags.to, include, security: flags.security === 'on', only: flags.only, cacheDir: session.cacheDir },
    session.tools,
  );
  const made = [...images].map(([tag, image]) => ({
    tag,
    digest: digestOfImage(image),
    reference: `${flags.to}:${tag}`,
  }));
  return { data: { images: made }, text: made.map(({ reference, digest }) => `${reference}@${digest}`).join('\n') };
}

export async function runBaseResolve(
  [reference = '']: readonly string[],
  flags: ResolveFlags,
  session: Session,
): Promise<Outcome> {
  const { resolveReference } = await import('../../base-resolve.js');
  const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
  const { exact, pinned, base, attached } = await resolveReference(
    { reference, platform, attachFiles: flags.attachFiles, cacheDir: session.cacheDir },
    session.tools,
  );
  const data = {
    reference,
    exact,
    digest: pinned,
    platform: formatPlatform(platform),
    layers: layersOf(base.image).length,
    labels: labelsOf(base.image),
    attached: attached ?? null,
  };
  return { data, text: exact };
}

export async function runBaseOutdated(
  [image = '']: readonly string[],
  flags: OutdatedFlags,
  session: Session,
): Promise<Outcome> {
  const { baseOutdated } = await import('../../base-outdated.js');
  const platform = flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform);
  const found = await baseOutdated({ image, base: flags.base, platform, cacheDir: session.cacheDir }, session.tools);
  const { name, from, now, isOutdated } = found;
  const text = isOutdated
    ? `outdated: ${name} is ${now} now, the image stands on ${from}`
    : `up to date: ${name} is ${now}`;
  return { data: { ...found }, text };
}

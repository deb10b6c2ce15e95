import { type Command, Option } from 'commander';
import { digestOfImage, labelsOf, layersOf } from '../../oci/image.js';
import { formatPlatform, parsePlatform } from '../../values/platform.js';
import { hostPlatform } from '../environment.js';
import { platformOption, several } from '../options.js';
import type { CommonFlags, Outcome, Session } from '../session.js';

interface CreateFlags extends CommonFlags {
  readonly to: string;
  readonly include?: readonly string[];
  readonly security: 'on' | 'off';
  readonly only?: 'run';
}

export function defineBaseCreate(command: Command): Command {
  return command
    .description("make a base of a distribution's packages: an image to run apps on and one to build them on")
    .argument('<suite>', 'debian-12 or debian-13')
    .requiredOption('--to <place>', 'the layout to write: oci:DIR; the images get the tags run and build')
    .option('--include <packages>', 'more packages for both images, separated by commas; may be repeated', several)
    .addOption(
      new Option('--security <choice>', "whether to install the distribution's security fixes")
        .choices(['on', 'off'])
        .default('on'),
    )
    .addOption(new Option('--only <image>', 'make only the image that apps run on').choices(['run']));
}

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

interface ResolveFlags extends CommonFlags {
  readonly platform?: string;
  readonly attachFiles?: boolean;
}

export function defineBaseResolve(command: Command): Command {
  return command
    .description("tell what a base's name stands for today, and the reference that always will mean the same")
    .argument('<ref>', 'the base: oci:DIR:TAG, oci-archive:FILE, docker-archive:FILE, docker://REF')
    .option('--attach-files', 'attach a list of its files to it in its registry, for rebase --trust-attached')
    .addOption(platformOption());
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

interface OutdatedFlags extends CommonFlags {
  readonly base?: string;
  readonly platform?: string;
}

export function defineBaseOutdated(command: Command): Command {
  return command
    .description('tell whether there is a newer base for an image')
    .argument('<image>', 'the image: oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker://REF')
    .option('--base <ref>', 'where the base is (default: where the image says that it came from)')
    .addOption(platformOption());
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

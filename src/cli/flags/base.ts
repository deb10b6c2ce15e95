import { type Command, Option } from 'commander';
import { platformOption, several } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface CreateFlags extends CommonFlags {
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

export interface ResolveFlags extends CommonFlags {
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

export interface OutdatedFlags extends CommonFlags {
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

import type { Command } from 'commander';
import { policyOption, sandboxOption, several } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface RebaseFlags extends CommonFlags {
  readonly base?: string;
  readonly oldBase?: string;
  readonly to?: readonly string[];
  readonly plan?: boolean;
  readonly trustAttached?: boolean;
  readonly smoke?: string;
  readonly policy?: string;
  readonly undo?: boolean;
  readonly platform?: string;
  readonly allowStackChange?: boolean;
  readonly allowDistroChange?: boolean;
  readonly allowUidChange?: boolean;
  readonly allowAbiBreak?: boolean;
  readonly allowDowngrade?: boolean;
  readonly allowNotRebasable?: boolean;
  readonly allowUploadBase?: boolean;
}

export function defineRebase(command: Command): Command {
  return command
    .description('put the app of an image on another base, without a build')
    .argument(
      '<image>',
      'the image, or an index of images: oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker://REF',
    )
    .option('--base <ref>', "the new base (default: what the registry has under the base's name)")
    .option('--old-base <ref>', 'what an image of others was built on, where it does not say so itself')
    .option('--trust-attached', 'believe the list of files that is attached to the new base in its registry')
    .option('--to <place>', "where to write the result (default: the image's own place); may be repeated", several)
    .option('--plan', 'only tell what would change')
    .option('--undo', 'put back what was there before the last rebase')
    .option('--smoke <command>', 'run this on the new base first, and write nothing unless it ends with 0')
    .addOption(policyOption())
    .addOption(sandboxOption())
    .option('--platform <os/arch>', 'of an index, the one image to move (default: all of them)')
    .option('--allow-stack-change', 'accept a base of another stack')
    .option('--allow-distro-change', 'accept a base of another distribution or version')
    .option('--allow-uid-change', 'accept a base made for another user')
    .option('--allow-abi-break', 'accept a base that lacks files or libraries which the app refers to')
    .option('--allow-downgrade', 'accept a base with older packages')
    .option('--allow-not-rebasable', 'accept an image that says it is not to be moved')
    .option('--allow-upload-base', "send the base's layers where the registry has them and does not mount them");
}

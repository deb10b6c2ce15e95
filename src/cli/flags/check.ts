import type { Command } from 'commander';
import { policyOption } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface CheckFlags extends CommonFlags {
  readonly policy: string;
  readonly platform?: string;
  readonly base?: string;
}

export function defineCheck(command: Command): Command {
  return command
    .description('tell whether images keep to a policy')
    .argument(
      '<image...>',
      'the images, or indexes of images: oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker://REF',
    )
    .addOption(policyOption().makeOptionMandatory())
    .option('--platform <os/arch>', 'of an index, the one image to check (default: all of them)')
    .option('--base <ref>', 'the base that the images stand on, where they do not lead to it themselves');
}

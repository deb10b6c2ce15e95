import type { Command } from 'commander';
import { platformOption } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface InspectFlags extends CommonFlags {
  readonly platform?: string;
  readonly files?: boolean;
}

export function defineInspect(command: Command): Command {
  return command
    .description('tell what an image is made of')
    .argument('<image>', 'the image: oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker://REF')
    .addOption(platformOption())
    .option('--files', 'with --json, tell what each layer holds too');
}

import type { Command } from 'commander';
import { several } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface IndexFlags extends CommonFlags {
  readonly to?: readonly string[];
}

export function defineIndex(command: Command): Command {
  return command
    .description('make one index of images for several platforms')
    .argument('<image...>', 'the images, one for each platform: oci:DIR[:TAG], oci-archive:FILE, docker://REF')
    .option('--to <place>', 'where to write the index with its images; may be repeated', several);
}

import type { Command } from 'commander';
import { assignments, networkOption, platformOption, sandboxOption } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface RunFlags extends CommonFlags {
  readonly env?: Readonly<Record<string, string>>;
  readonly base?: string;
  readonly port?: string;
  readonly platform?: string;
  readonly network: 'host' | 'none';
}

export function defineRun(command: Command): Command {
  return command
    .description('start a process of an image in the sandbox')
    .argument('<image>', 'the image (oci:DIR[:TAG], …), or the directory of an app that was built without --to')
    .argument('[command...]', 'a process type, or -- and a command (default: the default process)')
    .option('--base <ref>', 'start it on another base than its own')
    .option('--env <name=value>', 'environment of the process; may be repeated', assignments)
    .option('--port <n>', 'the port to listen on (PORT)')
    .addOption(platformOption())
    .addOption(sandboxOption())
    .addOption(networkOption());
}

import type { Command } from 'commander';

export function defineDoctor(command: Command): Command {
  return command
    .description('tell what this machine can do, and what to do about the rest')
    .argument('[registry...]', 'registries to ask whether they let us in: HOST[:PORT] (default: none is asked)');
}

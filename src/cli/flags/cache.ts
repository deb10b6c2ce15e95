import type { Command } from 'commander';

export function defineCacheInfo(command: Command): Command {
  return command.description('tell what the cache holds');
}

export function defineCachePrune(command: Command): Command {
  return command
    .description('remove what can be made anew')
    .option('--all', 'also the bootstrapped bases and their packages');
}

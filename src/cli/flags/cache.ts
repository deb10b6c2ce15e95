import { type Command, InvalidArgumentError } from 'commander';
import { size } from '../options.js';
import type { CommonFlags } from '../session.js';

export interface PruneFlags extends CommonFlags {
  readonly maxSize?: number;
  readonly maxAge?: number;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

export function defineCacheInfo(command: Command): Command {
  return command.description('tell what the cache holds');
}

export function defineCachePrune(command: Command): Command {
  return command
    .description('remove what can be made anew and is not in use')
    .option('--max-size <size>', 'only until this much is left, least recently used first: 10GB', size)
    .option('--max-age <time>', 'only what was not used for so long: 12h, 30d', age)
    .option('--all', 'also the bootstrapped bases and their packages')
    .option('--dry-run', 'only tell what would be removed');
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads an age, in milliseconds. */
function age(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (factor === undefined)
    throw new InvalidArgumentError(
      `write it as a whole number with a unit: 90m, 12h, 30d; not ${JSON.stringify(text)}.`,
    );
  return Number(number) * factor;
}

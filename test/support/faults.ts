import { readFile, realpath, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Cli, CliRun } from './command-line.js';

/** What makes a step of a command go wrong: see fault-preload.mjs. */
const PRELOAD = join(process.cwd(), 'test/support/fault-preload.mjs');

/** A command's surroundings of its own: a cache in which bases are unpacked already, and a directory for temporary files. */
export interface Den {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Faulty extends CliRun {
  /** The steps that succeeded, such as `rename FROM TO`. */
  readonly steps: readonly string[];
  /** How many steps were tried, if it came to an end of its own. */
  readonly count: number;
}

export async function makeDen(cli: Cli): Promise<Den> {
  const directory = await cli.directory({ tmp: { directory: true }, 'cache/v1': { directory: true } });
  await symlink(await realpath(join(cli.cacheDir(), 'v1/roots')), join(directory, 'cache/v1/roots'));
  return { directory, env: { TMPDIR: join(directory, 'tmp'), PACK_BUILD_CACHE_DIR: join(directory, 'cache') } };
}

/** Runs a command in which `fault` happens, such as `kill@7`; nothing if it is empty. */
export async function runFaulty(
  cli: Cli,
  args: readonly string[],
  { directory, env }: Den,
  fault = '',
  match = '',
): Promise<Faulty> {
  const trace = join(directory, `trace-${fault}`);
  // A crash leaves no core file behind.
  const node = ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh', process.execPath, '--import', PRELOAD, '--'];
  const faults = { FAULT: fault, FAULT_MATCH: match, FAULT_TRACE: trace };
  const run = await cli.run(args, { cwd: directory, env: { ...env, ...faults }, node });
  const lines = (await readFile(trace, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  const last = lines.at(-1)?.match(/^exit \d+ (\d+)$/);
  return { ...run, steps: last ? lines.slice(0, -1) : lines, count: Number(last?.[1] ?? Number.NaN) };
}

/** Does something for each of many, a few at once. */
export async function forEach<T>(all: readonly T[], work: (one: T) => Promise<void>, atOnce = 4): Promise<void> {
  const pending = [...all];
  const one = async () => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** At most so many numbers from 1 to `last`, evenly spread, with the first and the last. */
export function spread(last: number, many: number): readonly number[] {
  if (last <= many) return Array.from({ length: last }, (_, at) => at + 1);
  return Array.from({ length: many }, (_, at) => 1 + Math.round((at * (last - 1)) / (many - 1)));
}

/**
 * What of a command's steps could be lost or mixed up with the power: a file that got its name before its bytes were on the
 * disk, a name that was not on the disk when the result was told, an index before a blob that it names. What is under a
 * build's private directories is nobody's result.
 */
export function brokenOrders(steps: readonly string[]): readonly string[] {
  const dirty = new Set<string>();
  const unsynced = new Set<string>();
  const broken: string[] = [];
  for (const step of steps.filter((line) => !/\/cache\/v1\/(work|apps)\//.test(line))) {
    const [call, one = '', two = ''] = step.split(' ');
    if (call === 'write' || call === 'writeFile') dirty.add(one);
    if (call === 'link' && !steps.slice(0, steps.indexOf(step)).includes(`sync ${one}`)) dirty.add(two);
    if (call === 'sync') {
      dirty.delete(one);
      unsynced.delete(one);
    }
    if (call === 'rename') {
      if (dirty.has(one)) broken.push(`${two} before its bytes`);
      const pending = [...unsynced].filter((directory) => directory.startsWith(dirname(two)));
      if (basename(two) === 'index.json' && pending.length > 0) broken.push(`${two} before ${pending}`);
      unsynced.add(dirname(two));
    }
    if (call === 'report') broken.push(...[...unsynced].map((directory) => `the result before ${directory}`));
  }
  return broken;
}

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../values/error.js';
import { exists } from './exists.js';
import { withLock } from './lock.js';
import { removeTree } from './remove.js';
import { makeTempDir, sweepStale } from './tempdir.js';

/** Where leases on the entries of a store are. */
export interface LeasePlaces {
  /** A directory for each holder, with an empty file for each entry that it uses. */
  readonly leases: string;
  /** An empty file for each entry that was ever used: when that was last is the time of the file. */
  readonly used: string;
  /** Whose lock whoever removes entries holds from reading the leases until the entries are out of reach. */
  readonly gate: string;
}

/** Says that an entry is about to be used: from then on nobody removes it. It need not exist. Names have no slash. */
export type Use = (name: string) => Promise<void>;

/**
 * Runs `work` with a lease: what `use` names stays until the end of `work`, or of this process, whatever ends it. Whoever
 * looks for an entry first says so, and then looks: a remover that did not see the lease has then removed it for good. Where
 * nothing can be written, nothing is leased, and the work goes on. Nothing is written before the first use.
 */
export async function withLease<T>(places: LeasePlaces, work: (use: Use) => Promise<T>): Promise<T> {
  const known = new Map<string, Promise<void>>();
  let opening: Promise<string> | undefined;
  const use: Use = (name) => {
    opening ??= openLease(places.leases);
    const using = known.get(name) ?? take(name, opening, places);
    known.set(name, using);
    return using;
  };
  try {
    return await work(use);
  } finally {
    const directory = await opening?.catch(() => undefined);
    if (directory !== undefined) await removeTree(directory).catch(() => undefined);
  }
}

const swept = new Set<string>();

async function openLease(leases: string): Promise<string> {
  // Once in the life of this process, which may do a thousand things.
  if (!swept.has(leases)) await sweepStale(leases);
  swept.add(leases);
  return await makeTempDir('lease', leases);
}

async function take(name: string, opening: Promise<string>, places: LeasePlaces): Promise<void> {
  try {
    await writeFile(join(await opening, name), '', { flag: 'wx' });
    await markUsed(places.used, name);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return;
  }
  // Whoever holds the gate may have read the leases before this one was there.
  if (await exists(`${places.gate}.lock`)) await withLock(places.gate, {}, async () => undefined);
}

/**
 * Notes that an entry is used now, by the clock of the file system. The mark is made anew: whatever is in its place, such as a
 * link or a pipe, is neither followed nor waited for.
 */
export async function markUsed(used: string, name: string): Promise<void> {
  const mark = join(used, name);
  const make = () => writeFile(mark, '', { flag: 'wx' });
  await make().catch(async (error: unknown) => {
    if (systemCode(error) === 'ENOENT') await mkdir(used, { recursive: true });
    else if (systemCode(error) === 'EEXIST') await removeTree(mark);
    else throw error;
    await make().catch((again: unknown) => {
      // Another one has marked it at the same time.
      if (systemCode(again) !== 'EEXIST') throw again;
    });
  });
}

/** What anybody has leased. Leases of dead processes are removed. */
export async function leasedNames(leases: string): Promise<ReadonlySet<string>> {
  await sweepStale(leases);
  const names = new Set<string>();
  for (const holder of await readdir(leases).catch(() => [])) {
    for (const name of await readdir(join(leases, holder)).catch(() => [])) names.add(name);
  }
  return names;
}

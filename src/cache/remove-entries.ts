import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDirectory } from '../system/exists.js';
import { leasedNames } from '../system/lease.js';
import { withLock } from '../system/lock.js';
import { removeTree } from '../system/remove.js';
import { withTempDir } from '../system/tempdir.js';
import { systemCode } from '../values/error.js';
import type { Cache } from './cache.js';
import { type CacheEntry, layerNotes } from './entries.js';

/** Of a whole version, and of what a killed writer left, nobody can say who uses it: it stays for so long after a change. */
export const MIN_AGE_MS = 60 * 60 * 1000;

/**
 * Removes entries, all but those that somebody has leased or used meanwhile. Whoever wants one of them waits until they are
 * out of reach, which takes a rename each, and then makes it anew. Returns what was removed.
 */
export async function removeEntries(
  cache: Cache,
  choose: (leased: ReadonlySet<string>) => readonly CacheEntry[],
): Promise<readonly CacheEntry[]> {
  return withTempDir('prune', cache.work, async (trash) => {
    const removed = await withLock(cache.leasing.gate, { waitMs: 600_000 }, async () => {
      const gone: CacheEntry[] = [];
      for (const entry of choose(await leasedNames(cache.leasing.leases))) {
        if (await wasUsedSince(cache, entry)) continue;
        await putAside(entry, join(trash, `${gone.length}`));
        if (entry.lease !== undefined) await rm(join(cache.leasing.used, entry.lease), { force: true });
        gone.push(entry);
      }
      return gone;
    });
    await removeIdleNotes(cache);
    return removed;
  });
}

async function wasUsedSince({ leasing }: Cache, { lease, used }: CacheEntry): Promise<boolean> {
  if (lease === undefined) return false;
  const mark = await lstat(join(leasing.used, lease)).catch(() => undefined);
  return mark !== undefined && mark.mtimeMs > used;
}

/** What says that an entry is complete goes first. */
async function putAside({ paths }: CacheEntry, trash: string): Promise<void> {
  for (const [index, path] of [...paths.entries()].reverse()) {
    await rename(path, `${trash}-${index}`).catch(async (error: unknown) => {
      // On another file system, or a directory that is closed to its owner, who may remove it but not move it.
      if (systemCode(error) !== 'ENOENT') await removeTree(path);
    });
  }
}

/** A note that names a blob which is gone tells nothing any more. One that is lost in a race costs time. */
async function removeIdleNotes(cache: Cache): Promise<void> {
  for (const note of await layerNotes(cache)) {
    const isFile = (await lstat(note).catch(() => undefined))?.isFile();
    const text = isFile ? await readFile(note, 'utf8').catch(() => '') : '';
    const [, hex] = /"digest":"sha256:([0-9a-f]{64})"/.exec(text) ?? [];
    if (hex === undefined || !(await lstat(join(cache.blobs, 'sha256', hex)).catch(() => undefined)))
      await removeTree(note);
  }
}

/** Removes what killed writers left beside entries, and marks of what is not there. */
export async function removeStrays(cache: Cache, entries: readonly CacheEntry[], now: number): Promise<void> {
  const known = new Set(entries.map(({ lease }) => lease));
  for (const mark of await readdir(cache.leasing.used).catch(() => [])) {
    const path = join(cache.leasing.used, mark);
    if (!known.has(mark) && (await isOld(path, now))) await rm(path, { force: true });
  }
  const compressors = (await readdir(cache.layers).catch(() => [])).map((name) => join(cache.layers, name));
  const blobs = [join(cache.blobs, 'sha256'), join(cache.blobs, 'notes')];
  for (const directory of [...blobs, ...compressors, cache.roots, cache.inventories, cache.sources, cache.tarballs]) {
    if (!(await isDirectory(directory))) continue;
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (name.startsWith('.staged-') && (await isOld(path, now))) await removeTree(path);
    }
  }
}

async function isOld(path: string, now: number): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  return stat !== undefined && now - Math.max(stat.ctimeMs, stat.mtimeMs) > MIN_AGE_MS;
}

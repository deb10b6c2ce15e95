import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ownerOf } from '../system/tempdir.js';
import { CACHE_VERSION, type Cache, type LeasedPart, leaseName, type Part } from './cache.js';
import { measureTree } from './measure.js';

/** Something in the cache that is there or not as a whole. */
export interface CacheEntry {
  readonly part: Part | 'versions';
  /** What it is called there. */
  readonly name: string;
  /** What it is called among leases; undefined for the cache of another version, whose leases are not ours to read. */
  readonly lease: string | undefined;
  /** The thing itself, and what belongs to it. */
  readonly paths: readonly string[];
  /** Of its files. */
  readonly bytes: number;
  /** When it was last used, in milliseconds by the clock of its file system. */
  readonly used: number;
}

/** Where the entries of each part are, and what they are called among leases. */
const SHELVES = [
  ['blobs', 'sha256', 'blobs'],
  ['blobs', 'notes', 'notes'],
  ['roots', '', 'roots'],
  ['inventories', '', 'inventories'],
  ['sources', '', 'sources'],
  ['apps', '', 'apps'],
  ['tarballs', '', 'tarballs'],
  ['bases', '', 'bases'],
  ['packages', '', 'packages'],
] as const satisfies readonly (readonly [Part, string, LeasedPart])[];

/** What lies beside an entry and is none: a lock, who holds it, and the mark of a complete root. */
const BESIDE = /\.(lock|holder|breaker|complete)$/;

/**
 * All that can be removed by itself. When it was last used, a mark tells; of what has none, when the system last saw it
 * change, which nobody can set back.
 */
export async function entriesOf(cache: Cache): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const [part, below, leased] of SHELVES) {
    const directory = join(cache[part], below);
    for (const name of await namesIn(directory)) {
      const key = leased === 'notes' ? basename(name, '.json') : name;
      const entry = await entryAt(cache, part, join(directory, name), leaseName(leased, key));
      if (entry !== undefined) entries.push(entry);
    }
  }
  return entries;
}

/** The caches of other versions beside this one. What is in them is not looked at, but for its size and times. */
export async function otherVersions(cache: Cache): Promise<readonly CacheEntry[]> {
  const parent = dirname(cache.root);
  const entries: CacheEntry[] = [];
  for (const name of (await readdir(parent).catch(() => [])).sort()) {
    const path = join(parent, name);
    if (!/^v\d+$/.test(name) || name === CACHE_VERSION) continue;
    if (!(await lstat(path).catch(() => undefined))?.isDirectory()) continue;
    const { bytes, changed } = await measureTree(path);
    entries.push({ part: 'versions', name, lease: undefined, paths: [path], bytes, used: changed });
  }
  return entries;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => !name.startsWith('.') && !BESIDE.test(name) && ownerOf(name) === undefined).sort();
}

async function entryAt(cache: Cache, part: Part, path: string, lease: string): Promise<CacheEntry | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const mark = await lstat(join(cache.leasing.used, lease)).catch(() => undefined);
  return {
    part,
    name: basename(path),
    lease,
    paths: part === 'roots' ? [path, `${path}.complete`] : [path],
    bytes: found.isDirectory() ? (await measureTree(path)).bytes : found.size,
    used: mark?.mtimeMs ?? found.ctimeMs,
  };
}

/** How many things a part has, counted as its own kind: blobs, unpacked bases, apps. */
export async function countEntries(cache: Cache, part: Part): Promise<number> {
  if (part === 'blobs') return (await namesIn(join(cache.blobs, 'sha256'))).length;
  if (part === 'layers') return (await layerNotes(cache)).length;
  if (part === 'work') return (await readdir(cache.work).catch(() => [])).length;
  return (await namesIn(cache[part])).length;
}

/** The notes that say which blob a tar became. */
export async function layerNotes(cache: Cache): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const compressor of await namesIn(cache.layers)) {
    const directory = join(cache.layers, compressor);
    notes.push(...(await namesIn(directory)).map((name) => join(directory, name)));
  }
  return notes;
}

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cache, cacheAt } from './cache/cache.js';
import { removeTree } from './system/remove.js';
import { sweepStale } from './system/tempdir.js';

const PARTS = [
  'blobs',
  'layers',
  'roots',
  'inventories',
  'sources',
  'apps',
  'tarballs',
  'bases',
  'packages',
  'work',
] as const;

/** One part of the cache. */
export interface CachePart {
  readonly name: (typeof PARTS)[number];
  readonly path: string;
  /** Bytes of its files. */
  readonly bytes: number;
  /** What is in it, counted as its own kind: blobs, unpacked bases, apps. */
  readonly entries: number;
}

export interface CacheInfo {
  readonly root: string;
  readonly parts: readonly CachePart[];
}

/** Tells what the cache in a directory (`cacheDir` of requests) holds. */
export async function cacheInfo(directory: string): Promise<CacheInfo> {
  const cache = cacheAt(directory);
  const parts: CachePart[] = [];
  for (const name of PARTS) parts.push(await measure(cache, name));
  return { root: cache.root, parts };
}

/**
 * Removes what can be made anew: all of it but the bases, which take long, and these too with `all`. Returns what was there.
 * Not to be called during a build.
 */
export async function cachePrune(
  directory: string,
  { all = false }: { readonly all?: boolean | undefined } = {},
): Promise<CacheInfo> {
  const before = await cacheInfo(directory);
  const removed = before.parts.filter(
    ({ name }) => name !== 'work' && (all || (name !== 'bases' && name !== 'packages')),
  );
  for (const { path } of removed) await removeTree(path);
  await sweepStale(cacheAt(directory).work);
  return { root: before.root, parts: removed };
}

async function measure(cache: Cache, name: CachePart['name']): Promise<CachePart> {
  const path = cache[name];
  const top = name === 'blobs' ? join(path, 'sha256') : path;
  const names = await readdir(top).catch(() => []);
  return {
    name,
    path,
    bytes: await sizeOf(path),
    entries: names.filter((entry) => !/\.(lock|holder|complete)$/.test(entry)).length,
  };
}

async function sizeOf(root: string): Promise<number> {
  let total = 0;
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined) continue;
    if (!stat.isDirectory()) total += stat.size;
    else for (const name of await readdir(path).catch(() => [])) pending.push(join(path, name));
  }
  return total;
}

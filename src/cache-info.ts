import { cacheAt, PARTS, type Part } from './cache/cache.js';
import { countEntries, otherVersions } from './cache/entries.js';
import { measureTree } from './cache/measure.js';

/** One part of the cache. */
export interface CachePart {
  readonly name: Part;
  readonly path: string;
  /** Bytes of its files. */
  readonly bytes: number;
  /** What is in it, counted as its own kind: blobs, unpacked bases, apps. */
  readonly entries: number;
}

/** The cache of another version of pack-build, which this one never reads. */
export interface CacheOfVersion {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export interface CacheInfo {
  readonly root: string;
  readonly parts: readonly CachePart[];
  readonly versions: readonly CacheOfVersion[];
}

/** Tells what the cache in a directory (`cacheDir` of requests) holds. Writes nothing. */
export async function cacheInfo(directory: string): Promise<CacheInfo> {
  const cache = cacheAt(directory);
  const parts: CachePart[] = [];
  for (const name of PARTS) {
    const path = cache[name];
    parts.push({ name, path, bytes: (await measureTree(path)).bytes, entries: await countEntries(cache, name) });
  }
  const versions = (await otherVersions(cache)).map(({ name, paths: [path = ''], bytes }) => ({ name, path, bytes }));
  return { root: cache.root, parts, versions };
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from '../cache/cache.js';
import { sweepStale } from '../system/tempdir.js';

const swept = new Map<string, Promise<void>>();

/**
 * Removes what killed processes have left in the cache and in the directory for temporary files: once in the life of this
 * process, which may do a thousand things with one cache.
 */
export async function sweepCache(cache: Cache): Promise<void> {
  const sweeping = swept.get(cache.root) ?? sweep(cache);
  swept.set(cache.root, sweeping);
  await sweeping;
}

async function sweep(cache: Cache): Promise<void> {
  const kinds = await readdir(cache.layers).catch(() => []);
  const directories = [
    ...['sha256', 'notes'].map((name) => join(cache.blobs, name)),
    ...kinds.map((kind) => join(cache.layers, kind)),
    ...[cache.work, cache.roots, cache.inventories, cache.sources, cache.tarballs, cache.packages],
  ];
  for (const directory of directories) await sweepStale(directory);
  await sweepStale();
}

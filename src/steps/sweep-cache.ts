import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from '../cache/cache.js';
import { sweepStale } from '../system/tempdir.js';

/** Removes what killed processes have left in the cache and in the directory for temporary files. */
export async function sweepCache(cache: Cache): Promise<void> {
  const kinds = await readdir(cache.layers).catch(() => []);
  const directories = [
    ...['sha256', 'notes'].map((name) => join(cache.blobs, name)),
    ...kinds.map((kind) => join(cache.layers, kind)),
    ...[cache.work, cache.roots, cache.inventories, cache.tarballs, cache.packages],
  ];
  for (const directory of directories) await sweepStale(directory);
  await sweepStale();
}

import { type Cache, withCache } from '../cache/cache.js';
import { explained } from './explain.js';

/** Runs a verb with the cache of a directory, so that whatever goes wrong comes out as a `PackBuildError`. */
export function inCache<T>(
  cacheDir: string,
  signal: AbortSignal | undefined,
  work: (cache: Cache) => Promise<T>,
): Promise<T> {
  return explained(signal, () => withCache(cacheDir, work));
}

import { type Cache, cacheAt, PARTS } from './cache/cache.js';
import { chooseToRemove } from './cache/choose.js';
import { type CacheEntry, entriesOf, otherVersions } from './cache/entries.js';
import { MIN_AGE_MS, removeEntries, removeStrays } from './cache/remove-entries.js';
import type { CacheInfo } from './cache-info.js';
import { leasedNames, markUsed } from './system/lease.js';
import { sweepStale, timeThere } from './system/tempdir.js';

/** How much of the cache may stay. Without a bound, nothing that can be made anew and that nobody uses. */
export interface PruneRequest {
  /** Bytes that may stay: what was least recently used goes until the rest fits. */
  readonly maxBytes?: number | undefined;
  /** What was not used for so many milliseconds goes. */
  readonly maxAgeMs?: number | undefined;
  /** Also the bootstrapped bases and the packages they were made of, which take minutes. */
  readonly all?: boolean | undefined;
  /** Only tell. */
  readonly planOnly?: boolean | undefined;
}

/** What was removed, part by part, and what is left. */
export interface CachePruned extends CacheInfo {
  readonly left: {
    readonly bytes: number;
    readonly entries: number;
    /** How many of these somebody has leased. */
    readonly inUse: number;
  };
}

/**
 * Removes what can be made anew, least recently used first, until the bounds hold. Beside running builds this is safe: what a
 * running verb uses is leased and stays. With a bound, so does for an hour what was used last. All that anybody loses is time.
 * Throws `CACHE_LOCKED` when another prune does not end.
 */
export async function cachePrune(directory: string, request: PruneRequest = {}): Promise<CachePruned> {
  const cache = cacheAt(directory);
  const { leases, used } = cache.leasing;
  const entries = [...(await entriesOf(cache)), ...(await otherVersions(cache))];
  if (!request.planOnly) for (const parent of [cache.work, cache.roots, cache.packages]) await sweepStale(parent);
  if (entries.length === 0) return pruned(cache, [], [], new Set());
  const now = await timeThere(cache.work);
  let leased: ReadonlySet<string> = new Set();
  const choose = (names: ReadonlySet<string>) => {
    leased = names;
    return choice(entries, names, request, now);
  };
  if (request.planOnly) {
    const chosen = choose(await leasedNames(leases));
    return pruned(cache, entries, chosen, leased);
  }
  const removed = await removeEntries(cache, choose);
  await removeStrays(cache, entries, now);
  // A clock that was wrong has dated these: from now on their age can be told.
  for (const { lease, used: at } of entries) if (lease !== undefined && at > now) await markUsed(used, lease);
  return pruned(cache, entries, removed, leased);
}

function choice(
  entries: readonly CacheEntry[],
  leased: ReadonlySet<string>,
  { maxBytes, maxAgeMs, all }: PruneRequest,
  now: number,
): readonly CacheEntry[] {
  const isKept = ({ part, lease, used }: CacheEntry) => {
    if (lease === undefined) return now - used < MIN_AGE_MS;
    return leased.has(lease) || (!all && (part === 'bases' || part === 'packages'));
  };
  const candidates = entries.map((entry) => ({ ...entry, isKept: isKept(entry) }));
  // Below nothing: what is empty goes too.
  const isBounded = maxBytes !== undefined || maxAgeMs !== undefined;
  const bounds = isBounded ? { maxBytes, maxAgeMs, minAgeMs: MIN_AGE_MS } : { maxBytes: -1, minAgeMs: 0 };
  return chooseToRemove(candidates, { ...bounds, now });
}

function pruned(
  cache: Cache,
  entries: readonly CacheEntry[],
  removed: readonly CacheEntry[],
  leased: ReadonlySet<string>,
): CachePruned {
  const parts = PARTS.filter((name) => name !== 'work' && name !== 'layers').map((name) => {
    const own = removed.filter(({ part }) => part === name);
    return { name, path: cache[name], bytes: bytesOf(own), entries: own.length };
  });
  const versions = removed
    .filter(({ part }) => part === 'versions')
    .map(({ name, paths: [path = ''], bytes }) => ({ name, path, bytes }));
  const gone = new Set(removed.flatMap(({ paths }) => paths));
  const left = entries.filter(({ paths: [path = ''] }) => !gone.has(path));
  const inUse = left.filter(({ lease }) => lease !== undefined && leased.has(lease)).length;
  return { root: cache.root, parts, versions, left: { bytes: bytesOf(left), entries: left.length, inUse } };
}

function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

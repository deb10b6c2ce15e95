import type { CacheInfo } from '../../cache-info.js';
import type { PruneFlags } from '../flags/cache.js';
import type { CommonFlags, Outcome, Session } from '../session.js';

export async function runCacheInfo(
  _args: readonly string[],
  _flags: CommonFlags,
  { cacheDir }: Session,
): Promise<Outcome> {
  const { cacheInfo } = await import('../../cache-info.js');
  const info = await cacheInfo(cacheDir);
  return { data: info, text: [info.root, ...rows(info)].join('\n') };
}

export async function runCachePrune(
  _args: readonly string[],
  { maxSize, maxAge, all, dryRun }: PruneFlags,
  session: Session,
): Promise<Outcome> {
  const { cachePrune } = await import('../../cache-prune.js');
  const request = { maxBytes: maxSize, maxAgeMs: maxAge, all, planOnly: dryRun };
  const { root, parts, versions, left } = await cachePrune(session.cacheDir, request);
  const removed = { root, versions, parts: parts.filter(({ entries }) => entries > 0) };
  const first = dryRun ? `would be removed from ${root}` : `removed from ${root}`;
  const last = `${sized('left', left.bytes)}  ${left.entries} entries, ${left.inUse} of them in use`;
  return {
    data: { root, dryRun: dryRun === true, parts, versions, left },
    text: [first, ...rows(removed), last].join('\n'),
  };
}

function rows({ parts, versions }: CacheInfo): readonly string[] {
  return [
    ...parts.map(({ name, bytes, entries }) => `${sized(name, bytes)}  ${entries} entries`),
    ...versions.map(({ name, bytes }) => `${sized(name, bytes)}  of another version, never read by this one`),
  ];
}

function sized(name: string, bytes: number): string {
  return `${name.padEnd(12)} ${(bytes / 1e6).toFixed(1).padStart(9)} MB`;
}

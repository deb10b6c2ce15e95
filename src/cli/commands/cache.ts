import type { CacheInfo } from '../../cache-info.js';
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
  { all }: CommonFlags & { readonly all?: boolean },
  session: Session,
): Promise<Outcome> {
  const { cachePrune } = await import('../../cache-info.js');
  const info = await cachePrune(session.cacheDir, { all });
  return { data: info, text: [`removed from ${info.root}`, ...rows(info)].join('\n') };
}

function rows({ parts }: CacheInfo): readonly string[] {
  return parts.map(
    ({ name, bytes, entries }) => `${name.padEnd(12)} ${(bytes / 1e6).toFixed(1).padStart(9)} MB  ${entries} entries`,
  );
}

import { hostPath, INSIDE, type Workspace } from '../buildpack/workspace.js';
import { appCache } from '../cache/app-cache.js';
import type { Cache } from '../cache/cache.js';
import { step } from '../values/events.js';
import type { Tools } from './tools.js';

/** What to do with CACHE_DIR when the build has succeeded. After any other end, nothing is done: the cache is as it was. */
export interface RestoredCache {
  /** Keeps it for the app's next build. By now the image is written, so failing here only makes that build slower. */
  keep(): Promise<void>;
}

export interface CacheRequest {
  /** The app's directory. */
  readonly source: string;
  /** Start with an empty one. */
  readonly clearCache: boolean;
}

/** Fills CACHE_DIR with what the app's last build left there (R70), or leaves it empty. */
export async function restoreCache(
  { source, clearCache }: CacheRequest,
  cache: Cache,
  workspace: Workspace,
  tools: Tools,
): Promise<RestoredCache> {
  const kept = appCache(cache, source);
  const directory = hostPath(workspace, INSIDE.cacheDir);
  if (!clearCache) await step(tools.on, 'cache', 'restore', () => kept.restore(directory));
  const keep = () =>
    kept.commit(directory).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      tools.on({ type: 'notice', code: 'CACHE_NOT_KEPT', message: `the build cache could not be kept: ${why}` });
    });
  return { keep: () => step(tools.on, 'cache', 'keep', keep) };
}

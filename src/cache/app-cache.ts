import { createHash } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { copyExactly } from '../system/copy-exactly.js';
import { isDirectory } from '../system/exists.js';
import { withLock } from '../system/lock.js';
import { removeTree } from '../system/remove.js';
import { fail, isFailure } from '../values/error.js';
import type { Cache } from './cache.js';

/** The CACHE_DIR of one app, as it was after the app's last build that succeeded (R70 to R74). */
export interface AppCache {
  /** Fills an empty directory with a copy: modes, links, hard links and times as they were. Builds never touch the original. */
  restore(into: string): Promise<void>;
  /** Takes the directory as the new state. It is moved, not copied; where there is none, the new state is empty. */
  commit(from: string): Promise<void>;
  clear(): Promise<void>;
}

/** The cache of the app whose source is in this directory. */
export function appCache(cache: Cache, source: string): AppCache {
  const name = createHash('sha256').update(source).digest('hex').slice(0, 24);
  const home = join(cache.apps, name);
  const locked = async (work: () => Promise<void>) => {
    await cache.use('apps', name);
    await withLock(home, {}, async () => {
      // A link in its place would be followed.
      if (!(await isDirectory(home))) await removeTree(home);
      await work();
    });
  };
  const [current, old] = [join(home, 'current'), join(home, 'old')];
  return {
    restore: (into) =>
      locked(async () => {
        await settle(current, old);
        if (await isDirectory(current)) await copyKept(current, into);
      }),
    commit: (from) =>
      locked(async () => {
        await mkdir(home, { recursive: true });
        await settle(current, old);
        if (await isDirectory(current)) await rename(current, old);
        else await removeTree(current);
        try {
          // A link that a buildpack left in its place would be followed on the host.
          if (await isDirectory(from)) await rename(from, current);
        } catch (error) {
          await settle(current, old);
          throw error;
        }
        await removeTree(old);
      }),
    clear: () =>
      locked(async () => {
        await removeTree(old);
        await removeTree(current);
      }),
  };
}

/** After a commit that did not come to its end, the state before it is current again. */
async function settle(current: string, old: string): Promise<void> {
  if ((await isDirectory(current)) || !(await isDirectory(old))) return removeTree(old);
  await removeTree(current);
  await rename(old, current);
}

async function copyKept(from: string, to: string): Promise<void> {
  await copyExactly(from, to).catch((error: unknown) => {
    if (!isFailure(error, 'STORE_FAILED')) throw error;
    throw fail('STORE_FAILED', {
      what: "the app's cache could not be copied",
      why: error.why,
      fix: 'build with --clear-cache to start with an empty one',
      cause: error,
    });
  });
}

import { join } from 'node:path';
import { recipeKey } from '../base/recipe.js';
import { suiteNamed } from '../base/suites.js';
import type { Cache } from '../cache/cache.js';
import { listLayout } from '../layout/layout-source.js';
import type { Lock } from '../settings/lock-file.js';
import { withLock } from '../system/lock.js';
import { fail, isFailure } from '../values/error.js';
import { formatPlatform, type Platform } from '../values/platform.js';
import { createBase } from './create-base.js';
import type { Tools } from './tools.js';

/** Bases to use when nobody named one. */
export const DEFAULT_BASES = ['heroku-24', 'debian-12'] as const;
export type DefaultBase = (typeof DEFAULT_BASES)[number];

const SUITE = 'debian-12';
const HEROKU = { run: 'heroku/heroku:24', build: 'heroku/heroku:24-build' } as const;
const HEROKU_ARCHITECTURES: readonly string[] = ['amd64', 'arm64'];

/** Where a base is, and what the lock calls it: the place of a cache would mean nothing to others. */
export interface NamedBase {
  readonly reference: string;
  readonly lockName: string;
}

export interface NamedBases {
  readonly run: NamedBase;
  readonly build: NamedBase;
}

export interface DefaultRequest {
  readonly lock: Lock;
  readonly frozen?: boolean | undefined;
  readonly platform: Platform;
  /** What to use where the lock does not say; found out if absent. */
  readonly defaultBase?: DefaultBase | undefined;
  /** Called before a base is made or fetched for the first time, which takes minutes: what it throws ends the build. */
  readonly beforeMaking?: (() => Promise<void>) | undefined;
}

/**
 * The bases to use when nobody named one: those that the lock has, else Heroku's, if their registry answers at once, else a
 * Debian that is made once and kept in the cache, until a newer pack-build makes it in another way. Tells which, and why.
 * Throws `LOCK_FROZEN`, and what making one throws.
 */
export async function defaultBase(request: DefaultRequest, cache: Cache, tools: Tools): Promise<NamedBases> {
  const locked = lockedChoice(request.lock);
  if (locked === undefined && request.frozen) throw notLocked();
  const { choice, why } =
    locked === undefined ? await choose(request, tools) : { choice: locked, why: 'pack-build.lock says so' };
  if (choice === 'debian-12') return debian(why, request, cache, tools);
  if (locked === undefined) await request.beforeMaking?.();
  tools.on({ type: 'info', message: `-----> No base was named: using ${HEROKU.run}, and ${HEROKU.build} to build on` });
  tools.on({ type: 'info', message: `       ${why}` });
  const named = (reference: string) => ({ reference, lockName: reference });
  return { run: named(HEROKU.run), build: named(HEROKU.build) };
}

/** A base that was once chosen stays: what was built on one may not run on the other. */
function lockedChoice({ bases }: Lock): DefaultBase | undefined {
  if (bases[`${SUITE}:run`] !== undefined) return 'debian-12';
  return bases[HEROKU.run] === undefined ? undefined : 'heroku-24';
}

interface Choice {
  readonly choice: DefaultBase;
  readonly why: string;
}

async function choose({ platform, defaultBase: wanted }: DefaultRequest, tools: Tools): Promise<Choice> {
  if (wanted !== undefined) return { choice: wanted, why: 'it is the default here' };
  if (tools.registries === undefined) return { choice: 'debian-12', why: 'there is no way to registries' };
  if (!HEROKU_ARCHITECTURES.includes(platform.architecture))
    return { choice: 'debian-12', why: `Heroku has none for ${formatPlatform(platform)}` };
  try {
    const found = await tools.registries.digestOf(HEROKU.run, { isQuick: true });
    if (found !== undefined)
      return { choice: 'heroku-24', why: 'docker.io has them; pack-build.lock keeps the choice' };
    return { choice: 'debian-12', why: `docker.io has no ${HEROKU.run}` };
  } catch (error) {
    if (tools.signal?.aborted || !isFailure(error)) throw error;
    const evidence = [error.message, error.why?.split('\n', 1)[0]].filter(Boolean).join(': ');
    return { choice: 'debian-12', why: `${HEROKU.run} is not to be had: ${evidence}` };
  }
}

async function debian(why: string, request: DefaultRequest, cache: Cache, tools: Tools): Promise<NamedBases> {
  const recipe = { suite: suiteNamed(SUITE), include: [], security: true };
  const name = `${SUITE}-${recipeKey(recipe)}`;
  const path = join(cache.bases, name);
  await cache.use('bases', name);
  const tell = (message: string) => tools.on({ type: 'info', message });
  await withLock(path, { waitMs: 20 * 60_000, signal: tools.signal }, async () => {
    if (await isComplete(path)) {
      tell(`-----> No base was named: using the ${SUITE} of the cache`);
      tell(`       ${why}`);
      return;
    }
    await request.beforeMaking?.();
    tell(`-----> No base was named: making a ${SUITE} once, which takes a few minutes`);
    tell(`       ${why}`);
    tell(`       It is kept in ${path}; to name your own, see --base`);
    await createBase({ ...recipe, path }, cache, tools);
  });
  return {
    run: { reference: `oci:${path}:run`, lockName: `${SUITE}:run` },
    build: { reference: `oci:${path}:build`, lockName: `${SUITE}:build` },
  };
}

async function isComplete(path: string): Promise<boolean> {
  const entries = await listLayout(path).catch(() => []);
  return entries.length >= 2;
}

function notLocked() {
  return fail('LOCK_FROZEN', {
    what: 'the lock would change: no base was named, and pack-build.lock has none',
    why: '--frozen builds only from what the lock names',
    fix: 'build once without --frozen and keep pack-build.lock, or name a base by its digest',
  });
}

import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type AppCache, appCache } from '../../../src/cache/app-cache.js';
import { cacheAt } from '../../../src/cache/cache.js';
import { withTempDir } from '../../../src/system/tempdir.js';

interface Place {
  readonly dir: string;
  readonly cache: AppCache;
  /** Commits a directory that holds one file with this text. */
  readonly commit: (text: string) => Promise<void>;
  /** What a restored copy holds. */
  readonly restored: () => Promise<string | undefined>;
}

const withCache = (work: (place: Place) => Promise<void>) =>
  withTempDir('cache', undefined, async (dir) => {
    const cache = appCache(cacheAt(join(dir, 'cache')), '/src/shop');
    let copies = 0;
    const commit = async (text: string) => {
      const from = join(dir, `from-${copies++}`);
      mkdirSync(from);
      writeFileSync(join(from, 'text'), text);
      await cache.commit(from);
    };
    const restored = async () => {
      const into = join(dir, `into-${copies++}`);
      mkdirSync(into);
      await cache.restore(into);
      return existsSync(join(into, 'text')) ? readFileSync(join(into, 'text'), 'utf8') : undefined;
    };
    await work({ dir, cache, commit, restored });
  });

describe('appCache', () => {
  it('R74 keeps modes, links, hard links and times', () =>
    withCache(async ({ dir, cache }) => {
      const from = join(dir, 'from');
      mkdirSync(join(from, 'deep'), { recursive: true });
      writeFileSync(join(from, 'deep/program'), '#!/bin/sh\n');
      chmodSync(join(from, 'deep/program'), 0o751);
      linkSync(join(from, 'deep/program'), join(from, 'same'));
      symlinkSync('/usr/lib/go-1.19', join(from, 'absolute'));
      symlinkSync('nowhere', join(from, 'dangling'));
      utimesSync(join(from, 'deep/program'), 1_000_000_000, 1_000_000_000.5);
      chmodSync(join(from, 'deep'), 0o2750);
      utimesSync(join(from, 'deep'), 1_100_000_000, 1_100_000_000);
      await cache.commit(from);
      const into = join(dir, 'into');
      mkdirSync(into);
      await cache.restore(into);
      const program = lstatSync(join(into, 'deep/program'));
      expect([program.mode & 0o7777, program.mtimeMs, program.nlink]).toEqual([0o751, 1_000_000_000_500, 2]);
      expect(lstatSync(join(into, 'same')).ino).toBe(program.ino);
      expect(lstatSync(join(into, 'deep')).mode & 0o7777).toBe(0o2750);
      expect(lstatSync(join(into, 'deep')).mtimeMs).toBe(1_100_000_000_000);
      expect(readlinkSync(join(into, 'absolute'))).toBe('/usr/lib/go-1.19');
      expect(readlinkSync(join(into, 'dangling'))).toBe('nowhere');
    }));

  it('restores nothing for an app that was never built', () =>
    withCache(async ({ restored }) => {
      expect(await restored()).toBeUndefined();
    }));

  it('gives each build a copy of its own', () =>
    withCache(async ({ dir, cache, commit, restored }) => {
      await commit('kept');
      mkdirSync(join(dir, 'mine'));
      await cache.restore(join(dir, 'mine'));
      writeFileSync(join(dir, 'mine/text'), 'changed');
      expect(await restored()).toBe('kept');
    }));

  it('gives the last state that was committed, and each app its own', () =>
    withCache(async ({ dir, commit, restored }) => {
      await commit('1');
      await commit('2');
      expect(await restored()).toBe('2');
      const other = appCache(cacheAt(join(dir, 'cache')), '/src/other');
      mkdirSync(join(dir, 'other'));
      await other.restore(join(dir, 'other'));
      expect(readdirSync(join(dir, 'other'))).toEqual([]);
    }));

  it('keeps the old state when a commit fails', () =>
    withCache(async ({ dir, cache, commit, restored }) => {
      await commit('old');
      // What holds the cache cannot be moved into it.
      await expect(cache.commit(dir)).rejects.toThrow('EINVAL');
      expect(await restored()).toBe('old');
    }));

  it('finds the old state again after a commit that was killed halfway', () =>
    withCache(async ({ dir, commit, restored }) => {
      await commit('old');
      const apps = cacheAt(join(dir, 'cache')).apps;
      const home = join(apps, readdirSync(apps)[0] as string);
      renameSync(join(home, 'current'), join(home, 'old'));
      expect(await restored()).toBe('old');
      await commit('new');
      expect(await restored()).toBe('new');
      expect(readdirSync(home)).toEqual(['current']);
    }));

  it('says so when a copy could not be made whole', () =>
    withCache(async ({ dir, cache, commit }) => {
      await commit('text');
      mkdirSync(join(dir, 'into/text'), { recursive: true });
      await expect(cache.restore(join(dir, 'into'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
    }));

  it('forgets on demand', () =>
    withCache(async ({ cache, commit, restored }) => {
      await commit('1');
      await commit('2');
      await cache.clear();
      expect(await restored()).toBeUndefined();
    }));

  it('always gives a whole state while others commit', () =>
    withCache(async ({ commit, restored }) => {
      await commit('0');
      const work = Array.from({ length: 8 }, async (_, n) => {
        if (n % 2 === 0) await commit(String(n));
        return await restored();
      });
      for (const text of await Promise.all(work)) expect(text).toMatch(/^[0246]$/);
    }));
});

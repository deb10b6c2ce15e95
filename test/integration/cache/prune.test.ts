import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { blobsIn, type Cache, cacheAt, withCache } from '../../../src/cache/cache.js';
import { otherVersions } from '../../../src/cache/entries.js';
import { removeEntries } from '../../../src/cache/remove-entries.js';
import { cacheInfo } from '../../../src/cache-info.js';
import { cachePrune } from '../../../src/cache-prune.js';
import { layerCache } from '../../../src/layers/layer-cache.js';
import { exists } from '../../../src/system/exists.js';
import { makeTempDir, withTempDir } from '../../../src/system/tempdir.js';
import { type DiffId, digestOf, hexOf } from '../../../src/values/digest.js';

const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('prune', undefined, work);

const blobOf = (text: string) => ({
  mediaType: 'application/vnd.oci.image.layer.v1.tar',
  digest: digestOf(Buffer.from(text)),
  size: text.length,
});
const keep = (cache: Cache, text: string) => blobsIn(cache).write(blobOf(text), [Buffer.from(text)]);
const setBack = (cache: Cache, text: string, hours: number) => {
  const mark = join(cache.leasing.used, `blobs.${hexOf(blobOf(text).digest)}`);
  const time = Date.now() / 1000 - hours * 3600;
  utimesSync(mark, time, time);
};
const has = (cache: Cache, text: string) => exists(join(cache.blobs, 'sha256', hexOf(blobOf(text).digest)));
/** The name that it would have if it were of an earlier process with the same id. */
const startedBefore = (own: string) => join(dirname(own), basename(own).replace(/-p(\d+)\.(\d+)/, '-p$1.9$2'));

describe('cachePrune', () => {
  it('writes nothing where there is no cache', () =>
    inTemp(async (dir) => {
      const { parts, left } = await cachePrune(join(dir, 'none'));
      expect(parts.every(({ entries }) => entries === 0)).toBe(true);
      expect(left).toEqual({ bytes: 0, entries: 0, inUse: 0 });
      expect(await exists(join(dir, 'none'))).toBe(false);
    }));

  it('removes by size what was least recently used', () =>
    inTemp(async (dir) => {
      const cache = cacheAt(dir);
      await withCache(dir, async (leasing) => {
        for (const text of ['one', 'two', 'six']) await keep(leasing, text);
      });
      for (const [hours, text] of ['six', 'one', 'two'].entries()) setBack(cache, text, 9 - hours);
      const planned = await cachePrune(dir, { maxBytes: 5, planOnly: true });
      expect(await has(cache, 'six')).toBe(true);
      const pruned = await cachePrune(dir, { maxBytes: 5 });
      expect(pruned).toEqual(planned);
      expect(pruned.left).toEqual({ bytes: 3, entries: 1, inUse: 0 });
      expect(await has(cache, 'two')).toBe(true);
      expect(readdirSync(cache.leasing.used)).toHaveLength(1);
    }));

  it('FLT-13 leaves what a verb of this process has used, and takes it when the verb has ended', () =>
    inTemp(async (dir) => {
      await withCache(dir, async (cache) => {
        await keep(cache, 'one');
        setBack(cache, 'one', 100);
        expect((await cachePrune(dir)).left).toEqual({ bytes: 3, entries: 1, inUse: 1 });
        expect((await cachePrune(dir, { maxAgeMs: 1 })).left.entries).toBe(1);
      });
      expect(readdirSync(cacheAt(dir).leasing.leases)).toEqual([]);
      expect((await cachePrune(dir)).left.entries).toBe(0);
    }));

  it('FLT-13 counts no lease of a dead process, also when its process id was given again', () =>
    inTemp(async (dir) => {
      const cache = cacheAt(dir);
      await withCache(dir, (leasing) => keep(leasing, 'one'));
      const own = await makeTempDir('lease', cache.leasing.leases);
      const reborn = startedBefore(own);
      rmSync(own, { recursive: true });
      mkdirSync(reborn);
      writeFileSync(join(reborn, `blobs.${hexOf(blobOf('one').digest)}`), '');
      expect((await cachePrune(dir)).left.entries).toBe(0);
      expect(readdirSync(cache.leasing.leases)).toEqual([]);
    }));

  it('removes the note of a layer with its blob, and no other', () =>
    inTemp(async (dir) => {
      const cache = cacheAt(dir);
      const notes = layerCache(cache.layers);
      await withCache(dir, async (leasing) => {
        for (const text of ['one', 'two']) {
          await keep(leasing, text);
          const diffId = blobOf(text).digest as unknown as DiffId;
          await notes.put('none', { diffId, bulk: '0', descriptor: blobOf(text) });
        }
      });
      setBack(cache, 'one', 2);
      await cachePrune(dir, { maxBytes: 4 });
      expect(await has(cache, 'two')).toBe(true);
      expect(readdirSync(join(cache.layers, 'none'))).toEqual([`0-${hexOf(blobOf('two').digest)}.json`]);
    }));

  it('FLT-10 dates anew what was used in the future', () =>
    inTemp(async (dir) => {
      const cache = cacheAt(dir);
      await withCache(dir, (leasing) => keep(leasing, 'one'));
      setBack(cache, 'one', -100_000);
      expect((await cachePrune(dir, { maxAgeMs: 1 })).left.entries).toBe(1);
      setBack(cache, 'one', 2);
      expect((await cachePrune(dir, { maxAgeMs: 1 })).left.entries).toBe(0);
    }));

  it('removes what killed writers and builds left, the work of living ones not', () =>
    inTemp(async (dir) => {
      const cache = cacheAt(dir);
      await withCache(dir, (leasing) => keep(leasing, 'one'));
      const own = await makeTempDir('build', cache.work);
      const dead = startedBefore(own);
      mkdirSync(dead);
      await cachePrune(dir, { maxBytes: 1000 });
      expect(readdirSync(cache.work).map((name) => join(cache.work, name))).toEqual([own]);
    }));
});

describe('the cache of another version', () => {
  it('is told of, stays for an hour after its last change, and is removed whole', () =>
    inTemp(async (dir) => {
      mkdirSync(join(dir, 'v0/roots/x'), { recursive: true, mode: 0o755 });
      writeFileSync(join(dir, 'v0/roots/x/file'), 'old');
      const told = { name: 'v0', path: join(dir, 'v0'), bytes: 3 };
      expect((await cacheInfo(dir)).versions).toEqual([told]);
      expect((await cachePrune(dir, { all: true })).versions).toEqual([]);
      expect(await exists(join(dir, 'v0'))).toBe(true);
      const cache = cacheAt(dir);
      const found = await otherVersions(cache);
      await removeEntries(cache, () => found);
      expect((await cacheInfo(dir)).versions).toEqual([]);
      expect(readdirSync(dir)).toEqual(['v1']);
    }));
});

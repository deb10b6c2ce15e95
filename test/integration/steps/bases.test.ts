import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { recipeKey } from '../../../src/base/recipe.js';
import { suiteNamed } from '../../../src/base/suites.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import { cacheAt } from '../../../src/cache/cache.js';
import { openTarget } from '../../../src/layout/places.js';
import { digestOfImage, type Image } from '../../../src/oci/image.js';
import type { Registries } from '../../../src/registry/access.js';
import { EMPTY_LOCK, formatLock, type Lock, parseLock, readLock } from '../../../src/settings/lock-file.js';
import { explained } from '../../../src/steps/explain.js';
import { keepLock } from '../../../src/steps/keep-lock.js';
import { type BasesRequest, prepareBases } from '../../../src/steps/prepare-bases.js';
import type { Tools } from '../../../src/steps/tools.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { digestOf, hexOf } from '../../../src/values/digest.js';
import { fail } from '../../../src/values/error.js';
import type { Event } from '../../../src/values/events.js';
import { parsePlace } from '../../../src/values/place.js';
import { storedImage } from '../../support/image.js';

const amd64 = { os: 'linux', architecture: 'amd64' };

interface Given {
  readonly dir: string;
  readonly store: BlobStore;
  readonly codes: string[];
  readonly put: (place: string, image: Image) => Promise<unknown>;
  readonly prepare: (request: Partial<BasesRequest>, registries?: Registries) => ReturnType<typeof prepareBases>;
}

const withBases = (work: (given: Given) => Promise<void>) =>
  withTempDir('bases', undefined, async (dir) => {
    const store = memoryStore();
    const codes: string[] = [];
    const on = (event: Event) => (event.type === 'notice' ? codes.push(event.code) : undefined);
    await work({
      dir,
      store,
      codes,
      put: (place, image) => openTarget(parsePlace(place)).put(image, store),
      // Nothing is run to resolve a base.
      prepare: (request, registries) =>
        prepareBases(
          { source: join(dir, 'shop'), platform: amd64, lock: EMPTY_LOCK, ...request },
          cacheAt(join(dir, 'cache')),
          {
            on,
            registries,
            env: { PATH: '/nonexistent' },
          } as unknown as Tools,
        ),
    });
  });

function locked(reference: string, image: Image): Lock {
  return { ...EMPTY_LOCK, bases: { [reference]: digestOfImage(image) } };
}

describe('prepareBases', () => {
  it('resolves a name and pins it', () =>
    withBases(async ({ dir, store, codes, put, prepare }) => {
      const image = await storedImage(store, ['1']);
      await put(`oci:${dir}/l:run`, image);
      const { run, build, pins } = await prepare({ base: `oci:${dir}/l:run` });
      expect(run).toBe(build);
      expect(run.base.name).toBe('run');
      expect(pins).toEqual({ 'oci:../l:run': digestOfImage(image) });
      expect(codes).toEqual([]);
    }));

  it('pins both bases where they differ, and neither that is named by its digest', () =>
    withBases(async ({ dir, store, put, prepare }) => {
      const [one, two] = [await storedImage(store, ['1']), await storedImage(store, ['2'])];
      await put(`oci:${dir}/l:run`, one);
      await put(`oci:${dir}/l:build`, two);
      const base = `oci:${dir}/l@${digestOfImage(one)}`;
      const { pins, build } = await prepare({ base, buildBase: `oci:${dir}/l:build`, frozen: false });
      expect(pins).toEqual({ 'oci:../l:build': digestOfImage(two) });
      expect(build.pinned).toBe(digestOfImage(two));
    }));

  it('takes a lock for its own that was written in another checkout, frozen too', () =>
    withBases(async ({ dir, store, codes, put, prepare }) => {
      const [one, two] = [await storedImage(store, ['1']), await storedImage(store, ['2'])];
      await put(`oci:${dir}/l:run`, one);
      await put(`oci:${dir}/l:run`, two);
      const lock = locked('oci:../l:run', one);
      const { run, pins } = await prepare({ base: `oci:${dir}/l:run`, lock, frozen: true });
      expect([run.pinned, pins]).toEqual([digestOfImage(one), lock.bases]);
      expect(codes).toEqual(['LOCK_KEEPS_OLD']);
    }));

  it('keeps to the lock when the name has moved on, and says so', () =>
    withBases(async ({ dir, store, codes, put, prepare }) => {
      const [one, two] = [await storedImage(store, ['1']), await storedImage(store, ['2'])];
      const base = `oci:${dir}/l:run`;
      await put(base, one);
      await put(base, two);
      for (const frozen of [false, true]) {
        const { run, pins } = await prepare({ base, lock: locked(base, one), frozen });
        expect([run.pinned, run.base.name, pins[base]]).toEqual([digestOfImage(one), 'run', digestOfImage(one)]);
      }
      expect(codes).toEqual(['LOCK_KEEPS_OLD', 'LOCK_KEEPS_OLD']);
    }));

  it('resolves anew what is gone, and says so; not when the lock is frozen', () =>
    withBases(async ({ dir, store, codes, put, prepare }) => {
      const [one, two] = [await storedImage(store, ['1']), await storedImage(store, ['2'])];
      const base = `oci:${dir}/l:run`;
      await put(base, two);
      const { run } = await prepare({ base, lock: locked(base, one) });
      expect(run.pinned).toBe(digestOfImage(two));
      expect(codes).toEqual(['LOCK_CHANGED']);
      await expect(prepare({ base, lock: locked(base, one), frozen: true })).rejects.toMatchObject({
        code: 'LOCK_FROZEN',
        why: `locked ${digestOfImage(one)}, found ${digestOfImage(two)}`,
      });
    }));

  it('resolves anew what is there no more but in name', () =>
    withBases(async ({ dir, store, codes, put, prepare }) => {
      const [one, two] = [await storedImage(store, ['1']), await storedImage(store, ['2'])];
      const base = `oci:${dir}/l:run`;
      await put(`oci:${dir}/l:old`, one);
      await put(base, two);
      rmSync(join(dir, 'l/blobs/sha256', hexOf(digestOfImage(one))));
      const { run } = await prepare({ base, lock: locked(base, one) });
      expect([run.pinned, codes]).toEqual([digestOfImage(two), ['LOCK_CHANGED']]);
    }));

  it('pins archives too, which keep nothing old', () =>
    withBases(async ({ dir, store, codes, put, prepare }) => {
      const [one, two] = [await storedImage(store, ['1']), await storedImage(store, ['2'])];
      const base = `oci-archive:${dir}/a.tar:run`;
      await put(base, one);
      expect((await prepare({ base })).pins).toEqual({ 'oci-archive:../a.tar:run': digestOfImage(one) });
      await put(base, two);
      expect((await prepare({ base, lock: locked(base, one) })).run.pinned).toBe(digestOfImage(two));
      expect(codes).toEqual(['LOCK_CHANGED']);
      await expect(prepare({ base, lock: locked(base, one), frozen: true })).rejects.toMatchObject({
        code: 'LOCK_FROZEN',
      });
    }));

  it('refuses a name that a frozen lock does not have; a digest needs no lock', () =>
    withBases(async ({ dir, store, put, prepare }) => {
      const image = await storedImage(store, ['1']);
      await put(`oci:${dir}/l:run`, image);
      await expect(prepare({ base: `oci:${dir}/l:run`, frozen: true })).rejects.toMatchObject({ code: 'LOCK_FROZEN' });
      const byDigest = await prepare({ base: `oci:${dir}/l@${digestOfImage(image)}`, frozen: true });
      expect(byDigest.pins).toEqual({});
    }));

  it('refuses a base for another platform', () =>
    withBases(async ({ dir, store, put, prepare }) => {
      await put(`oci:${dir}/l:run`, await storedImage(store, ['1'], 'arm64'));
      await expect(prepare({ base: `oci:${dir}/l:run` })).rejects.toMatchObject({
        code: 'BASE_PLATFORM',
        why: 'it is linux/arm64, the build is for linux/amd64',
      });
    }));

  it('R118 refuses two bases of different stacks', () =>
    withBases(async ({ dir, store, put, prepare }) => {
      const labels = (id: string) => ({ Labels: { 'io.buildpacks.stack.id': id } });
      await put(`oci:${dir}/l:run`, await storedImage(store, ['1'], 'amd64', labels('heroku-22')));
      await put(`oci:${dir}/l:build`, await storedImage(store, ['1'], 'amd64', labels('heroku-24')));
      await put(`oci:${dir}/l:none`, await storedImage(store, ['1']));
      const base = `oci:${dir}/l:run`;
      await expect(prepare({ base, buildBase: `oci:${dir}/l:build` })).rejects.toMatchObject({
        code: 'BASE_STACK_MISMATCH',
      });
      expect((await prepare({ base, buildBase: `oci:${dir}/l:none` })).pins).toHaveProperty(['oci:../l:run']);
    }));

  it('uses a base that is kept in the cache, unless it was made in another way', () =>
    withBases(async ({ dir, store, put, prepare }) => {
      const suite = suiteNamed('debian-12');
      const key = recipeKey({ suite, security: true, include: [] });
      const tags = ['run', 'build'];
      const of = async (name: string, text: string) => {
        const image = await storedImage(store, [text]);
        for (const tag of tags) await put(`oci:${dir}/cache/v1/bases/${name}:${tag}`, image);
        return digestOfImage(image);
      };
      await of('debian-12', 'old');
      // There is nothing to make a base with.
      await expect(prepare({})).rejects.toMatchObject({ code: 'TOOL_MISSING' });
      const kept = await of(`debian-12-${key}`, 'kept');
      const { run, pins } = await prepare({});
      expect(run.pinned).toBe(kept);
      expect(pins).toEqual({ 'debian-12:run': kept, 'debian-12:build': kept });
    }));

  it('asks no registry for a base that is chosen already, and keeps the Debian that it once made', () =>
    withBases(async ({ dir, store, put, prepare }) => {
      const key = recipeKey({ suite: suiteNamed('debian-12'), security: true, include: [] });
      const image = await storedImage(store, ['kept']);
      for (const tag of ['run', 'build']) await put(`oci:${dir}/cache/v1/bases/debian-12-${key}:${tag}`, image);
      const asked: string[] = [];
      const registries = {
        digestOf: async (reference: string) => {
          asked.push(reference);
          return digestOfImage(image);
        },
      } as unknown as Registries;
      const bases = { 'debian-12:run': digestOfImage(image), 'heroku/heroku:24': digestOf(Buffer.from('x')) };
      const { pins } = await prepare({ lock: { ...EMPTY_LOCK, bases } }, registries);
      expect(Object.keys(pins)).toEqual(['debian-12:run', 'debian-12:build']);
      expect(asked).toEqual([]);
    }));

  it.each<readonly [string, Partial<BasesRequest>, () => Promise<undefined>]>([
    ['has none of that name', {}, async () => undefined],
    [
      'fails',
      {},
      async () => {
        throw fail('REGISTRY_LIMITED', { what: 'docker.io lets us do no more for now', why: '429 on HEAD' });
      },
    ],
    [
      'would have none for the platform',
      { platform: { os: 'linux', architecture: 'riscv64' } },
      async () => {
        throw new Error('it was asked');
      },
    ],
  ])('makes a Debian where the registry %s', (_, request, look) =>
    withBases(async ({ prepare }) => {
      const registries = { digestOf: look } as unknown as Registries;
      // There is nothing to make a base with.
      await expect(prepare(request, registries)).rejects.toMatchObject({ code: 'TOOL_MISSING' });
    }),
  );

  it.each<readonly [string, (dir: string) => string, string]>([
    ['is not there', (dir) => `oci:${dir}/none:run`, 'BASE_NOT_FOUND'],
    ['is no layout', (dir) => `oci:${dir}/empty`, 'BASE_NOT_AN_IMAGE'],
    ['is no archive', (dir) => `docker-archive:${dir}/empty/text`, 'BASE_NOT_AN_IMAGE'],
    ['is in a registry', () => 'heroku/heroku:24', 'PLACE_UNSUPPORTED'],
  ])('refuses a base that %s', (_, reference, code) =>
    withBases(async ({ dir, prepare }) => {
      mkdirSync(join(dir, 'empty'));
      writeFileSync(join(dir, 'empty/text'), 'no tar');
      await expect(prepare({ base: reference(dir) })).rejects.toMatchObject({ code });
    }),
  );
});

describe('keepLock', () => {
  const digest = digestOf(Buffer.from('x'));
  const pins: Lock = { bases: { b: digest }, buildpacks: { p: 'commit' } };
  const keep = (dir: string, before: Lock, frozen = false) => {
    const said: Event[] = [];
    return keepLock({ source: dir, lock: before, frozen }, pins, (event) => said.push(event)).then(() => said);
  };

  it('writes what was resolved, and keeps what this build did not need', () =>
    withTempDir('lock', undefined, async (dir) => {
      const before: Lock = { bases: { other: digest }, buildpacks: { p: 'older' } };
      await keep(dir, before);
      expect(await readLock(dir)).toEqual({ bases: { b: digest, other: digest }, buildpacks: { p: 'commit' } });
    }));

  it('writes nothing when the lock says so already', () =>
    withTempDir('lock', undefined, async (dir) => {
      expect(await keep(dir, pins)).toEqual([]);
      expect(existsSync(join(dir, 'pack-build.lock'))).toBe(false);
    }));

  it('refuses to change a frozen lock', () =>
    withTempDir('lock', undefined, async (dir) => {
      await expect(keep(dir, EMPTY_LOCK, true)).rejects.toMatchObject({ code: 'LOCK_FROZEN' });
      expect(existsSync(join(dir, 'pack-build.lock'))).toBe(false);
    }));
});

describe('pack-build.lock', () => {
  const digest = digestOf(Buffer.from('x'));

  it('is sorted, one entry a line, and reads as it was written', () =>
    withTempDir('lock', undefined, async (dir) => {
      const lock: Lock = { bases: { b: digest, a: digest }, buildpacks: { 'https://x/y#main': 'abc' } };
      const text = formatLock(lock);
      expect(text.split('\n').filter((line) => line.includes(digest))).toEqual([
        `    "a": "${digest}",`,
        `    "b": "${digest}"`,
      ]);
      writeFileSync(join(dir, 'pack-build.lock'), text);
      expect(await readLock(dir)).toEqual(lock);
      expect(readFileSync(join(dir, 'pack-build.lock'), 'utf8').endsWith('}\n')).toBe(true);
    }));

  it('is empty where there is none', () =>
    withTempDir('lock', undefined, async (dir) => {
      expect(await readLock(dir)).toEqual(EMPTY_LOCK);
    }));

  it.each([
    '',
    '{}',
    '[]',
    '{"version":2}',
    '{"version":1,"bases":{"a":"sha256:1"}}',
    '{"version":1,"buildpacks":{"a":1}}',
  ])('refuses %j', (text) => {
    expect(() => parseLock(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'LOCK_INVALID' }));
  });
});

describe('explained', () => {
  const system = (code: string, path?: string) => Object.assign(new Error(`${code}: no`), { code, path });

  it.each<readonly [string, string, unknown]>([
    ['a full disk', 'DISK_FULL', system('ENOSPC', '/x')],
    ['a used up quota', 'DISK_FULL', system('EDQUOT')],
    ['a path that may not be used', 'STORE_FAILED', system('EACCES', '/x')],
    ['a path that may only be read', 'STORE_FAILED', system('EROFS', '/x')],
    ['an error of ours', 'USAGE', fail('USAGE', { what: 'x' })],
    ['an interruption', 'INTERRUPTED', fail('INTERRUPTED', { what: 'x' })],
  ])('makes of %s the error %s', async (_, code, error) => {
    await expect(explained(undefined, () => Promise.reject(error))).rejects.toMatchObject({ code });
  });

  it('leaves a bug a bug', async () => {
    const bug = new TypeError('x is undefined');
    await expect(explained(undefined, () => Promise.reject(bug))).rejects.toBe(bug);
  });

  it('calls whatever fails after an abort an interruption, and begins nothing after one', async () => {
    const stop = new AbortController();
    const work = explained(stop.signal, async () => {
      stop.abort(new Error('stop'));
      throw system('EPIPE', '/x');
    });
    await expect(work).rejects.toMatchObject({ code: 'INTERRUPTED' });
    let begun = false;
    const late = explained(stop.signal, async () => {
      begun = true;
    });
    await expect(late).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(begun).toBe(false);
  });
});

import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { REF_NAME } from '../../../src/layout/layout-index.js';
import { digestOfImage, type Image } from '../../../src/oci/image.js';
import { digestOfWhole, imagesOf, rootOf, type Whole } from '../../../src/oci/image-index.js';
import { rebase } from '../../../src/rebase.js';
import { openSource, openTarget } from '../../../src/steps/open-place.js';
import type { Tools } from '../../../src/steps/tools.js';
import { undoRebase } from '../../../src/undo-rebase.js';
import { type Digest, digestOf, hexOf } from '../../../src/values/digest.js';
import { parsePlace } from '../../../src/values/place.js';
import { previousTag } from '../../../src/values/previous-tag.js';
import type { TestRegistry } from '../../support/registry.js';
import { storedRelease, storedShop } from '../../support/release.js';
import { clientOf, failureOf, fileWith, removeFiles, world } from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

type Kind = 'registry' | 'oci';

/** A shop on the first of three releases of a base, and what may be done with it. */
async function shopAt(kind: Kind, isIndex = false, compares = false) {
  const server = await here.registry({ compares });
  const home = dirname(await fileWith(''));
  const store = memoryStore();
  // Each undo is a session of its own, which remembers nothing.
  const tools = { on: () => undefined, env: {}, registries: clientOf(server) } as unknown as Tools;
  const place = kind === 'oci' ? `oci:${home}/shop:1` : `docker://${server.host}/acme/shop:1`;
  const cacheDir = join(home, 'cache');
  const digests: Digest[] = [];
  for (const version of ['1', '2', '3']) {
    const release = await storedRelease(store, version, undefined, version);
    const index = await storedShop(store, release);
    digests.push(isIndex ? digestOfWhole(index) : digestOfImage(imagesOf(index)[0] as Image));
    if (version === '1')
      await openTarget(parsePlace(place), tools).put(isIndex ? index : (imagesOf(index)[0] as Image), store);
    await openTarget(parsePlace(`oci:${home}/base:${version}`), tools).put(release.index, store);
  }
  return {
    server,
    home,
    store,
    place,
    digests: digests as [Digest, Digest, Digest],
    put: async (text: string, whole: Whole) => openTarget(parsePlace(text), tools).put(whole, store),
    rebase: async (version: string, image = place) =>
      rebase({ image, base: `oci:${home}/base:${version}`, cacheDir }, tools),
    undo: async (text: string = place, more: object = {}) =>
      undoRebase({ image: text, cacheDir, ...more }, { ...tools, registries: clientOf(server) }),
    root: async (text: string = place) => (await openSource(parsePlace(text), store, tools).root()).digest,
    find: async (text: string) => openSource(parsePlace(text), memoryStore(), tools).findWhole(),
    kept: (present: Digest) => `${place.slice(0, -1)}${previousTag('1', present)}`,
  };
}

const both = (['registry', 'oci'] as const).flatMap(
  (kind) =>
    [
      [kind, 'an image', false],
      [kind, 'an index', true],
    ] as const,
);

describe('an undo', () => {
  it.each(both)(
    'in a place of kind %s puts %s back, byte for byte, one rebase after another',
    async (kind, _, isIndex) => {
      const shop = await shopAt(kind, isIndex, true);
      const [one, two, three] = shop.digests;
      await shop.rebase('2');
      await shop.rebase('3');
      expect(await shop.root()).toBe(three);
      expect(await shop.undo()).toMatchObject({ digest: two, previous: three });
      expect(await shop.root()).toBe(two);
      const { digest, references } = await shop.undo();
      expect([digest, references]).toEqual([one, [expect.stringMatching(new RegExp(`@${one}$`))]]);
      expect(await shop.root()).toBe(one);
      const error = await failureOf(shop.undo());
      expect(error).toMatchObject({
        code: 'REBASE_NO_PREVIOUS',
        message: `there is nothing to undo: no rebase is known that led ${shop.place} to where it is now`,
        why: `it is ${one}, and there is no ${shop.kept(one)}`,
      });
      expect((await shop.rebase('2')).digest).toBe(two);
    },
  );

  it.each(both)(
    'in a place of kind %s goes back to %s also when the same rebase was run again',
    async (kind, _, isIndex) => {
      const shop = await shopAt(kind, isIndex);
      const [one, two] = shop.digests;
      await shop.rebase('2');
      expect(await shop.rebase('2')).toMatchObject({ digest: two, previous: two });
      expect(await shop.undo()).toMatchObject({ digest: one, previous: two });
      expect(await shop.root()).toBe(one);
    },
  );

  it.each(both)(
    'in a place of kind %s goes back to where %s was after a rebase there and back, and then to the start',
    async (kind, _, isIndex) => {
      const shop = await shopAt(kind, isIndex);
      const [one, two] = shop.digests;
      await shop.rebase('2');
      expect((await shop.rebase('1')).digest).toBe(one);
      expect(await shop.undo()).toMatchObject({ digest: two, previous: one });
      expect(await shop.undo()).toMatchObject({ digest: one, previous: two });
      expect(await shop.root()).toBe(one);
    },
  );

  it.each(both)('in a place of kind %s can be looked at first for %s', async (kind, _, isIndex) => {
    const shop = await shopAt(kind, isIndex);
    const [one, two] = shop.digests;
    await shop.rebase('2');
    expect(await shop.undo(shop.place, { planOnly: true })).toEqual({ digest: one, previous: two, references: [] });
    expect(await shop.root()).toBe(two);
  });

  it.each(both)(
    'in a place of kind %s finds nothing to undo once somebody has moved the tag of %s',
    async (kind, _, isIndex) => {
      const shop = await shopAt(kind, isIndex);
      await shop.rebase('2');
      const theirs = await storedShop(shop.store, await storedRelease(shop.store, '9'));
      await shop.put(shop.place, theirs);
      expect(await failureOf(shop.undo())).toMatchObject({ code: 'REBASE_NO_PREVIOUS' });
      expect(await shop.root()).toBe(digestOfWhole(theirs));
    },
  );

  it.each(both)('in a place of kind %s keeps what was there reachable for %s', async (kind, _, isIndex) => {
    const shop = await shopAt(kind, isIndex);
    const [one, two] = shop.digests;
    await shop.rebase('2');
    const { whole, blobs } = await shop.find(shop.kept(two));
    expect(digestOfWhole(whole)).toBe(one);
    for (const image of imagesOf(whole))
      for (const layer of image.manifest.value.layers) for await (const __ of blobs.stream(layer));
  });

  it('FLT-9 does not overwrite what somebody puts there at the same time', async () => {
    const shop = await shopAt('registry');
    await shop.rebase('2');
    const theirs = await storedShop(shop.store, await storedRelease(shop.store, '9'));
    const [repository, other] = ['acme/shop', `docker://${shop.server.host}/acme/shop:theirs`];
    await shop.put(other, theirs);
    shop.server.fault(
      ({ method, url = '' }) => method === 'HEAD' && url.includes('/blobs/'),
      () => {
        const all = shop.server.manifests.get(repository);
        all?.set('1', all.get('theirs') as never);
        return false;
      },
      1,
    );
    expect(await failureOf(shop.undo())).toMatchObject({ code: 'REGISTRY_TAG_MOVED' });
    expect(await shop.root()).toBe(digestOfWhole(theirs));
  });

  it('FLT-9 still goes back by one after a rebase that came late, from what was there long before', async () => {
    const shop = await shopAt('registry');
    const [one, two, three] = shop.digests;
    await shop.rebase('2');
    await shop.rebase('3');
    expect(await shop.rebase('3', `${shop.place}@${one}`)).toMatchObject({ digest: three, previous: one });
    expect(await shop.undo()).toMatchObject({ digest: two, previous: three });
  });

  it.each(['an image', 'an index'])('FLT-9 finds no trace of a rebase of %s that came too late', async (what) => {
    const shop = await shopAt('registry', what === 'an index');
    const [one, two] = shop.digests;
    await shop.rebase('2');
    const tags = tagsOf(shop.server);
    const late = await failureOf(shop.rebase('3', `${shop.place}@${one}`));
    expect(late).toMatchObject({ code: 'REGISTRY_TAG_MOVED', why: `${one} expected, ${two} found` });
    expect(tagsOf(shop.server)).toEqual(tags);
    expect(await shop.undo()).toMatchObject({ digest: one, previous: two });
  });

  it('undoes only from the digest that is named, if one is', async () => {
    for (const kind of ['registry', 'oci'] as const) {
      const shop = await shopAt(kind);
      const [one, two] = shop.digests;
      await shop.rebase('2');
      const stale = await failureOf(shop.undo(`${shop.place}@${one}`));
      expect(stale).toMatchObject({ code: 'REBASE_NO_PREVIOUS' });
      expect((await shop.undo(`${shop.place}@${two}`)).digest).toBe(one);
    }
  });

  it('says that what was there is lost, when a part of it is gone, and leaves the tag', async () => {
    const shop = await shopAt('registry', true);
    const [, two] = shop.digests;
    const before = await shop.find(shop.place);
    await shop.rebase('2');
    const gone = digestOfImage(imagesOf(before.whole)[1] as Image);
    shop.server.manifests.get('acme/shop')?.delete(gone);
    expect(await failureOf(shop.undo())).toMatchObject({
      code: 'REBASE_PREVIOUS_LOST',
      message: `what ${shop.place} was before the rebase is no longer whole`,
      why: expect.stringContaining(gone),
    });
    expect(await shop.root()).toBe(two);
  });

  it.each(['registry', 'oci'] as const)(
    'says that what was there is lost, when a layer of it is gone from a place of kind %s',
    async (kind) => {
      const shop = await shopAt(kind);
      const [, two] = shop.digests;
      const { whole } = await shop.find(shop.place);
      await shop.rebase('2');
      const layer = imagesOf(whole)[0]?.manifest.value.layers[1]?.digest as Digest;
      shop.server.blobs.get('acme/shop')?.delete(layer);
      if (kind === 'oci') await rm(join(shop.home, 'shop/blobs/sha256', hexOf(layer)));
      await rm(join(shop.home, 'cache'), { recursive: true, force: true });
      expect(await failureOf(shop.undo())).toMatchObject({
        code: 'REBASE_PREVIOUS_LOST',
        why: expect.stringContaining(layer),
      });
      expect(await shop.root()).toBe(two);
    },
  );

  it('names no tag that only keeps something to who names one that is not there', async () => {
    const shop = await shopAt('registry');
    await shop.rebase('2');
    const { host } = shop.server;
    expect(await failureOf(shop.root(shop.place.replace(/1$/, '7')))).toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      fix: `name one of its tags: ${host}/acme/shop:1`,
    });
  });

  it('is refused where nothing is kept: in an archive, and without a tag', async () => {
    const shop = await shopAt('registry');
    await shop.rebase('2');
    for (const place of [`oci-archive:${shop.home}/a.tar`, `docker-archive:${shop.home}/a.tar`])
      expect(await failureOf(shop.undo(place))).toMatchObject({
        code: 'PLACE_UNSUPPORTED',
        fix: expect.stringContaining('--base REF'),
      });
    const byDigest = `docker://${shop.server.host}/acme/shop@${await shop.root()}`;
    expect(await failureOf(shop.undo(byDigest))).toMatchObject({ code: 'PLACE_UNSUPPORTED' });
  });

  it('keeps apart two tags that come to one digest', async () => {
    const shop = await shopAt('registry');
    const [one, two, three] = shop.digests;
    const other = shop.place.replace(/1$/, '2');
    await shop.put(other, (await shop.find(shop.place)).whole);
    await shop.rebase('2', other);
    await shop.rebase('3', other);
    await shop.rebase('3');
    expect([await shop.root(), await shop.root(other)]).toEqual([three, three]);
    expect([(await shop.undo()).digest, (await shop.undo(other)).digest]).toEqual([one, two]);
  });
});

describe('a mirror that is behind', () => {
  it('is not asked what a tag stands for that is to be moved, or to be put back', async () => {
    const shop = await shopAt('registry');
    const [one, two, three] = shop.digests;
    const mirror = await here.registry();
    const { host } = shop.server;
    // It still has the first one.
    const text = shop.place.replace(host, mirror.host);
    await openTarget(parsePlace(text), { registries: clientOf(mirror) }).put(
      (await shop.find(shop.place)).whole,
      shop.store,
    );
    await shop.rebase('2');
    const through = () => ({
      env: {},
      registries: clientOf(shop.server, { insecure: [host, mirror.host], mirrors: { [host]: [mirror.host] } }),
    });
    const cacheDir = join(shop.home, 'cache');
    const request = { image: shop.place, base: `oci:${shop.home}/base:3`, cacheDir };
    const tools = () => through() as unknown as Tools;
    expect(await rebase({ ...request, planOnly: true }, tools())).toMatchObject({ digest: three, previous: two });
    expect(await rebase(request, tools())).toMatchObject({ digest: three, previous: two });
    expect(await undoRebase(request, tools())).toMatchObject({ digest: two, previous: three });
    expect(await undoRebase(request, tools())).toMatchObject({ digest: one, previous: two });
    const copied = await rebase({ ...request, to: [`oci:${shop.home}/copy:1`] }, tools());
    expect(copied.previous).toBe(one);
    expect(mirror.seen.filter(({ method }) => method === 'GET').map(({ url }) => url)).toContain(
      '/v2/acme/shop/manifests/1',
    );
  });
});

describe('a rebase in a layout', () => {
  it('FLT-9 does not move a tag that somebody has moved since it was read', async () => {
    const shop = await shopAt('oci');
    const [, two] = shop.digests;
    await shop.rebase('2');
    const expected = shop.digests[0];
    const theirs = await storedShop(shop.store, await storedRelease(shop.store, '9'));
    const target = openTarget(parsePlace(shop.place), {} as never, { replacing: { expected } });
    expect(await failureOf(target.put(theirs, shop.store))).toMatchObject({
      code: 'LAYOUT_TAG_MOVED',
      why: `${expected} expected, ${two} found`,
    });
    expect(await shop.root()).toBe(two);
  });

  it('FLT-9 does not make a tag again that somebody has deleted since it was read', async () => {
    const shop = await shopAt('oci');
    const [one] = shop.digests;
    await shop.rebase('2');
    await editIndex(shop.home, (name) => (name === '1' ? undefined : name));
    const { whole } = await shop.find(shop.kept(shop.digests[1]));
    const target = openTarget(parsePlace(shop.place), {} as never, { replacing: { expected: one } });
    expect(await failureOf(target.put(whole, shop.store))).toMatchObject({
      code: 'LAYOUT_TAG_MOVED',
      why: `${one} expected, nothing found`,
      details: { expected: one, found: null },
    });
    expect(await failureOf(shop.root())).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  it('FLT-9 gives the image that had no tag one, as long as it is there', async () => {
    const shop = await shopAt('oci');
    const [one, two, three] = shop.digests;
    await editIndex(shop.home, () => '');
    const untagged = `oci:${shop.home}/shop`;
    expect((await shop.rebase('2', untagged)).digest).toBe(two);
    expect(await shop.root(`${untagged}:latest`)).toBe(two);
    expect((await shop.undo(untagged)).digest).toBe(one);
    await editIndex(shop.home, () => undefined);
    const theirs = await storedShop(shop.store, await storedRelease(shop.store, '9'));
    const target = openTarget(parsePlace(untagged), {} as never, { replacing: { expected: three } });
    expect(await failureOf(target.put(theirs, shop.store))).toMatchObject({ code: 'LAYOUT_TAG_MOVED' });
  });

  it('FLT-9 is done when somebody has come to the same digest first, and forgets nothing', async () => {
    const shop = await shopAt('oci');
    const [one, two] = shop.digests;
    const before = await shop.find(shop.place);
    await shop.rebase('2');
    const { whole } = await shop.find(shop.place);
    const replacing = { expected: one, kept: rootOf(before.whole) };
    await openTarget(parsePlace(shop.place), {} as never, { replacing }).put(whole, shop.store);
    expect(await shop.undo()).toMatchObject({ digest: one, previous: two });
  });

  it('leaves the image the only one for who names no tag', async () => {
    const shop = await shopAt('oci');
    await shop.rebase('2');
    expect(await shop.root(shop.place.replace(/:1$/, ''))).toBe(shop.digests[1]);
  });

  it('moves no tag of an image that is named by its digest alone and has none', async () => {
    const shop = await shopAt('oci');
    const [one] = shop.digests;
    await shop.rebase('2');
    const byDigest = shop.place.replace(/:1$/, `@${one}`);
    const request = { image: byDigest, base: `oci:${shop.home}/base:3`, cacheDir: join(shop.home, 'cache') };
    expect(await failureOf(rebase(request, { env: {} } as never))).toMatchObject({ code: 'PLACE_UNSUPPORTED' });
  });
});

/** Gives the entries of the shop's layout other tags: an empty one for none at all, undefined to delete the entry. */
async function editIndex(home: string, tagOf: (tag: string) => string | undefined): Promise<void> {
  const file = join(home, 'shop/index.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as { manifests: { annotations?: Record<string, string> }[] };
  const manifests = index.manifests.flatMap(({ annotations, ...entry }) => {
    const tag = tagOf(annotations?.[REF_NAME] ?? '');
    if (tag === undefined) return [];
    return [tag === '' ? entry : { ...entry, annotations: { ...annotations, [REF_NAME]: tag } }];
  });
  await writeFile(file, JSON.stringify({ ...index, manifests }));
}

/** What each tag of the shop stands for. */
function tagsOf({ manifests }: TestRegistry): Readonly<Record<string, Digest>> {
  const tags = [...(manifests.get('acme/shop') ?? [])].filter(([name]) => !name.includes(':'));
  return Object.fromEntries(tags.map(([name, { bytes }]) => [name, digestOf(bytes)]));
}

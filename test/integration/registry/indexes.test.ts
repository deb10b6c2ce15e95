import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { makeIndex } from '../../../src/make-index.js';
import { parseIndex } from '../../../src/oci/documents.js';
import { digestOfImage, type Image } from '../../../src/oci/image.js';
import { digestOfWhole, type ImageIndex, imagesOf } from '../../../src/oci/image-index.js';
import { indexOf } from '../../../src/oci/index-of.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import { type RebaseRequest, rebase } from '../../../src/rebase.js';
import { openSource, openTarget } from '../../../src/steps/open-place.js';
import type { Tools } from '../../../src/steps/tools.js';
import { digestOf } from '../../../src/values/digest.js';
import type { Event } from '../../../src/values/events.js';
import { parsePlace } from '../../../src/values/place.js';
import { refuse, type TestRegistry } from '../../support/registry.js';
import { type Release, storedRelease, storedShop } from '../../support/release.js';
import { AMD64, clientOf, failureOf, fileWith, removeFiles, world } from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

/** A shop for two platforms on the first release of a base, wherever it is, and a second release in a registry. */
async function shopOn(kind: 'registry' | 'oci' | 'oci-archive' = 'registry') {
  const server = await here.registry();
  const home = dirname(await fileWith(''));
  const store = memoryStore();
  const events: Event[] = [];
  const tools = {
    on: (event: Event) => events.push(event),
    env: {},
    registries: clientOf(server),
  } as unknown as Tools;
  const name = `${server.host}/acme/base:run`;
  const put = async (place: string, whole: ImageIndex | Image) =>
    openTarget(parsePlace(place), tools).put(whole, store);
  const first = await storedRelease(store, '1', undefined, name);
  const second = await storedRelease(store, '2', undefined, name);
  await put(name, first.index);
  const place = {
    registry: `docker://${server.host}/acme/shop:1`,
    oci: `oci:${home}/shop:1`,
    'oci-archive': `oci-archive:${home}/shop.tar:1`,
  }[kind];
  const shop = await storedShop(store, first);
  await put(place, shop);
  return {
    server,
    home,
    store,
    events,
    tools,
    name,
    first,
    second,
    place,
    shop,
    put,
    /** What the shop is on another release, as building on it would make it. */
    on: (release: Release) => storedShop(store, release),
    rebase: (more: Partial<RebaseRequest> = {}) =>
      rebase({ image: place, base: `docker://${name}`, cacheDir: join(home, 'cache'), ...more }, tools),
    find: async (text: string = place) => openSource(parsePlace(text), memoryStore(), tools).findWhole(),
  };
}

const tagOf = (server: TestRegistry, repository = 'acme/shop', tag = '1') =>
  server.manifests.get(repository)?.get(tag)?.bytes;

describe('a rebase of an index', () => {
  it.each(['registry', 'oci', 'oci-archive'] as const)(
    'REB-7 moves every image in one at %s, as building on the new base would have made it',
    async (kind) => {
      const shop = await shopOn(kind);
      await shop.put(`docker://${shop.name}`, shop.second.index);
      const result = await shop.rebase();
      const wanted = await shop.on(shop.second);
      expect(result).toMatchObject({ digest: digestOfWhole(wanted), previous: digestOfWhole(shop.shop) });
      expect(result.plans.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
      const { whole } = await shop.find();
      expect(Buffer.from((whole as ImageIndex).index.bytes).toString()).toBe(
        Buffer.from(wanted.index.bytes).toString(),
      );
      for (const image of imagesOf(whole)) {
        const { blobs } = await shop.find();
        for (const layer of image.manifest.value.layers) for await (const _ of blobs.stream(layer));
      }
      expect(shop.events.filter(({ type }) => type === 'notice')).toEqual([]);
    },
  );

  it('REB-7 writes the index last, its images before it, their layers before them', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    shop.server.seen.length = 0;
    await shop.rebase();
    const wanted = await shop.on(shop.second);
    const children = imagesOf(wanted).map(digestOfImage);
    const puts = shop.server.seen
      .filter(({ method }) => method === 'PUT')
      .map(({ url }) => url.replace(/^.*\/(manifests|uploads)\//, '$1 ').replace(/\?.*$/, ''));
    const kept = expect.stringMatching(/^manifests pb-prev-[0-9a-f]{12}$/);
    const last = [...children.map((digest) => `manifests ${digest}`), kept, 'manifests 1'];
    expect(puts.slice(-last.length)).toEqual(last);
    expect(puts.slice(0, -last.length).filter((put) => !put.startsWith('uploads'))).toEqual([]);
  });

  it('REB-7 resolves the new base once: a tag that moves meanwhile does not mix two releases', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    const third = await storedRelease(shop.store, '3', undefined, shop.name);
    await shop.put(`${shop.name.replace(':run', ':third')}`, third.index);
    let asked = 0;
    shop.server.fault(
      ({ url = '' }) => url.endsWith('/acme/base/manifests/run'),
      () => {
        asked += 1;
        if (asked > 1)
          shop.server.manifests
            .get('acme/base')
            ?.set('run', shop.server.manifests.get('acme/base')?.get('third') as never);
        return false;
      },
    );
    const { digest } = await shop.rebase();
    expect(digest).toBe(digestOfWhole(await shop.on(shop.second)));
  });

  it('REB-7 writes nothing where the new base lacks one platform', async () => {
    const shop = await shopOn();
    const half = await storedRelease(shop.store, '2', ['amd64']);
    for (const whole of [half.index, half.bases.get('amd64')?.image as Image]) {
      await shop.put(`docker://${shop.name}`, whole);
      shop.server.seen.length = 0;
      const error = await failureOf(shop.rebase());
      expect(error).toMatchObject({
        code: 'REBASE_PLATFORM_MISMATCH',
        message: `the base docker://${shop.name} has no image for linux/arm64, and the index has one to move`,
        fix: 'name a base for all of linux/amd64, linux/arm64; or move one image alone, with --platform OS/ARCH and --to',
      });
      expect(shop.server.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
    }
  });

  it('REB-7 writes nothing where one image cannot move', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    const [amd64, arm64] = imagesOf(shop.shop) as [Image, Image];
    const broken = { ...arm64, manifest: { ...arm64.manifest, value: { ...arm64.manifest.value, annotations: {} } } };
    const config = JSON.parse(Buffer.from(broken.config.bytes).toString());
    const changed = await storedChange(shop, { ...config, config: { ...config.config, User: '0' } }, arm64);
    await shop.put(shop.place, indexOf([amd64, changed]));
    const before = tagOf(shop.server);
    expect(await failureOf(shop.rebase())).toMatchObject({ code: 'REBASE_SEAM_BROKEN' });
    expect(tagOf(shop.server)).toBe(before);
  });

  it('REB-7 leaves the tag where it was when an image cannot be pushed, and a second run finishes', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    const wanted = await shop.on(shop.second);
    const before = tagOf(shop.server);
    shop.server.fault(
      ({ method, url = '' }) => method === 'PUT' && url.endsWith(digestOfImage(imagesOf(wanted)[1] as Image)),
      (_, response) => Boolean(refuse(response, 403, 'DENIED', 'no')),
      1,
    );
    expect(await failureOf(shop.rebase())).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(tagOf(shop.server)).toBe(before);
    expect((await shop.rebase()).digest).toBe(digestOfWhole(wanted));
    expect(tagOf(shop.server)).toEqual(Buffer.from(wanted.index.bytes));
  });

  it('REB-5 comes to the same digest twice at once, and both are done', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    const wanted = digestOfWhole(await shop.on(shop.second));
    const both = await Promise.all([shop.rebase(), shop.rebase({ cacheDir: join(shop.home, 'other') })]);
    expect(both.map(({ digest }) => digest)).toEqual([wanted, wanted]);
    expect(digestOf(tagOf(shop.server) ?? Buffer.alloc(0))).toBe(wanted);
  });

  it('finds nothing to do where the images stand on the base, and writes nothing', async () => {
    const shop = await shopOn();
    shop.server.seen.length = 0;
    const { digest, plans } = await shop.rebase();
    expect(digest).toBe(digestOfWhole(shop.shop));
    expect(plans.map(({ isNoop }) => isNoop)).toEqual([true, true]);
    expect(shop.server.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  });

  it('follows the name of the base where all images agree on it, and asks for one where they do not', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    expect((await shop.rebase({ base: undefined })).digest).toBe(digestOfWhole(await shop.on(shop.second)));
    const [amd64] = imagesOf(shop.shop);
    const other = await storedShop(shop.store, await storedRelease(shop.store, '1', ['arm64'], 'example.com/other:1'));
    await shop.put(shop.place, indexOf([amd64 as Image, ...imagesOf(other)]));
    expect(await failureOf(shop.rebase({ base: undefined }))).toMatchObject({
      code: 'REBASE_NO_BASE_NAME',
      why: `the images of the index stand on bases of different names: ${shop.name}, example.com/other:1`,
    });
  });

  it('moves one image alone with a platform, to another place only', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    const wanted = imagesOf(await shop.on(shop.second))[0] as Image;
    const platform = AMD64;
    expect(await failureOf(shop.rebase({ platform }))).toMatchObject({
      code: 'PLACE_UNSUPPORTED',
      fix: 'leave out --platform to move all of its images, or name a place for the one with --to',
    });
    const { digest, plans } = await shop.rebase({ platform, to: [`oci:${shop.home}/one:1`] });
    expect([digest, plans.length]).toEqual([digestOfImage(wanted), 1]);
    expect(tagOf(shop.server)).toEqual(Buffer.from(shop.shop.index.bytes));
  });

  it.each<[string, string, (home: string, host: string) => Partial<RebaseRequest>]>([
    ['one image in place of all', 'PLACE_UNSUPPORTED', () => ({ platform: AMD64 })],
    ['all into a Docker archive', 'PLACE_UNSUPPORTED', (home) => ({ to: [`docker-archive:${home}/shop.tar`] })],
    ['into what is no layout', 'LAYOUT_INVALID', (home) => ({ to: [`oci:${home}`] })],
    ['where nobody may push', 'REGISTRY_UNAUTHORIZED', (_, host) => ({ to: [`docker://${host}/closed/shop:1`] })],
  ])('is refused before a base is read: %s', async (_, code, more) => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    shop.server.fault(
      ({ method, url = '' }) => method === 'POST' && url.includes('/closed/'),
      (__, response) => Boolean(refuse(response, 403, 'DENIED', 'no')),
    );
    shop.server.seen.length = 0;
    expect(await failureOf(shop.rebase(more(shop.home, shop.server.host)))).toMatchObject({ code });
    expect(shop.server.seen.filter(({ url }) => url.includes('/acme/base/'))).toEqual([]);
  });

  it('goes to no Docker archive, which has room for one', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    expect(await failureOf(shop.rebase({ to: [`docker-archive:${shop.home}/shop.tar`] }))).toMatchObject({
      code: 'PLACE_UNSUPPORTED',
      fix: 'write it to oci:DIR, oci-archive:FILE or docker://REF',
    });
  });

  it('leaves attestations behind, and says so; keeps a nested index, and what else an index says', async () => {
    const shop = await shopOn();
    await shop.put(`docker://${shop.name}`, shop.second.index);
    const inner = await pushIndex(shop, { schemaVersion: 2, manifests: shop.shop.index.value.manifests.slice(1) });
    const [amd64] = shop.shop.index.value.manifests;
    const attestation = await pushAttestation(shop, amd64?.digest ?? '');
    const outer = {
      schemaVersion: 2,
      manifests: [amd64, attestation, inner],
      annotations: { 'com.example': 'x' },
      'x-y': 1,
    };
    await pushIndex(shop, outer, '1');
    const { digest } = await shop.rebase();
    expect(shop.events.filter((event) => event.type === 'notice')).toEqual([
      { type: 'notice', code: 'ATTESTATIONS_DROPPED', message: expect.stringContaining('(1 of its entries)') },
    ]);
    const bytes = tagOf(shop.server) ?? Buffer.alloc(0);
    expect(digestOf(bytes)).toBe(digest);
    const { manifests, annotations, ...others } = parseIndex(bytes, OCI_INDEX).value;
    const wanted = imagesOf(await shop.on(shop.second)).map(digestOfImage);
    expect(manifests.map(({ mediaType }) => mediaType)).toEqual([amd64?.mediaType, OCI_INDEX]);
    expect(manifests[0]?.digest).toBe(wanted[0]);
    expect(annotations).toMatchObject({ 'com.example': 'x' });
    expect(others).toMatchObject({ 'x-y': 1 });
    const { whole } = await shop.find();
    expect(imagesOf(whole).map(digestOfImage)).toEqual(wanted);
  });

  it('copies an index that does not change with all that is in it', async () => {
    const shop = await shopOn();
    const attestation = await pushAttestation(shop, digestOfImage(imagesOf(shop.shop)[0] as Image));
    const manifests = [...shop.shop.index.value.manifests, attestation];
    const digest = (await pushIndex(shop, { schemaVersion: 2, manifests }, '1')).digest;
    const to = [`oci:${shop.home}/copy:1`];
    expect((await shop.rebase({ to })).digest).toBe(digest);
    const { whole, blobs } = await shop.find(to[0]);
    expect(digestOfWhole(whole)).toBe(digest);
    expect(await blobs.has(attestation.digest as never)).toBe(true);
  });
});

describe('makeIndex', () => {
  it('makes the index of images from a registry, a layout and an archive, and writes it to all of these', async () => {
    const shop = await shopOn();
    const [amd64, arm64] = imagesOf(shop.shop) as [Image, Image];
    const s390x = imagesOf(await storedShop(shop.store, await storedRelease(shop.store, '1', ['s390x'])))[0] as Image;
    const from = [
      `docker://${shop.server.host}/acme/one:1`,
      `oci:${shop.home}/two:1`,
      `oci-archive:${shop.home}/three.tar`,
    ];
    for (const [at, image] of [amd64, arm64, s390x].entries()) await shop.put(from[at] ?? '', image);
    const to = [
      `docker://${shop.server.host}/acme/all:1`,
      `oci:${shop.home}/all:1`,
      `oci-archive:${shop.home}/all.tar:1`,
    ];
    const made = await makeIndex({ images: from, to, cacheDir: join(shop.home, 'cache') }, shop.tools);
    expect(made.digest).toBe(digestOfWhole(indexOf([amd64, arm64, s390x])));
    expect(made.references).toEqual(to.map((place) => `${place.replace(/:1$/, '')}@${made.digest}`));
    for (const place of to) {
      const { whole, blobs } = await shop.find(place);
      expect(digestOfWhole(whole)).toBe(made.digest);
      for (const image of imagesOf(whole))
        for (const layer of image.manifest.value.layers) for await (const _ of blobs.stream(layer));
    }
  });

  it('takes the images of an index, and makes the same one of them', async () => {
    const shop = await shopOn();
    const to = [`oci:${shop.home}/all:1`];
    const { digest } = await makeIndex({ images: [shop.place], to, cacheDir: join(shop.home, 'cache') }, shop.tools);
    expect(digest).toBe(digestOfWhole(shop.shop));
  });

  it('writes nothing where two images are for one platform', async () => {
    const shop = await shopOn();
    const request = {
      images: [shop.place, shop.place],
      to: [`oci:${shop.home}/all:1`],
      cacheDir: join(shop.home, 'cache'),
    };
    expect(await failureOf(makeIndex(request, shop.tools))).toMatchObject({ code: 'INDEX_INVALID' });
    expect(await failureOf(shop.find(request.to[0]))).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });
});

type Shop = Awaited<ReturnType<typeof shopOn>>;

/** The image with another config. */
async function storedChange({ store }: Shop, config: object, { manifest }: Image): Promise<Image> {
  const { imageOf } = await import('../../support/arbitrary.js');
  const image = imageOf(
    config as never,
    manifest.value.layers.map((descriptor, at) => ({
      descriptor,
      diffId: (config as never as { rootfs: { diff_ids: never[] } }).rootfs.diff_ids[at] as never,
    })),
  );
  await store.write(image.config.descriptor, [image.config.bytes]);
  return image;
}

/** Puts an index into the registry as another tool would, byte for byte. */
async function pushIndex({ server }: Shop, value: object, tag?: string) {
  const bytes = Buffer.from(JSON.stringify({ mediaType: OCI_INDEX, ...value }));
  const digest = digestOf(bytes);
  const response = await fetch(`${server.url}/v2/acme/shop/manifests/${tag ?? digest}`, {
    method: 'PUT',
    headers: { 'content-type': OCI_INDEX },
    body: bytes,
  });
  expect(response.status).toBe(201);
  return { mediaType: OCI_INDEX, digest, size: bytes.byteLength };
}

/** An attestation of an image, as BuildKit writes it. */
async function pushAttestation({ server }: Shop, subject: string) {
  const blob = Buffer.from('{}');
  server.blobs.get('acme/shop')?.set(digestOf(blob), blob);
  const of = (mediaType: string) => ({ mediaType, digest: digestOf(blob), size: blob.byteLength });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: of('application/vnd.oci.image.config.v1+json'),
      layers: [of('application/vnd.in-toto+json')],
    }),
  );
  const digest = digestOf(bytes);
  server.manifests.get('acme/shop')?.set(digest, { type: mediaType, bytes });
  return {
    mediaType,
    digest,
    size: bytes.byteLength,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': subject },
  };
}

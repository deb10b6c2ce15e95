import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { unionOf } from '../../../src/blobs/union.js';
import { check } from '../../../src/check.js';
import { assemble } from '../../../src/oci/assemble.js';
import { digestOfImage, type Image } from '../../../src/oci/image.js';
import type { Policy } from '../../../src/policy/policy.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { documentOf } from '../../../src/values/document.js';
import { madeImage } from '../../support/checked-image.js';
import { appOf, storedImage } from '../../support/image.js';
import { file } from '../../support/layer-tar.js';
import type { TestRegistry } from '../../support/registry.js';
import { AMD64, clientOf, world } from './world.js';

const here = world();
let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'pack-build-check-'));
});
afterEach(async () => {
  await here.close();
  await rm(cacheDir, { recursive: true });
});

async function put(server: TestRegistry, name: string, image: Image, store = memoryStore()): Promise<void> {
  await clientOf(server).target(`${server.host}/${name}`).put(image, store);
}

/** Puts a base into a registry, and an app on it. */
async function pushShop(server: TestRegistry): Promise<string> {
  const store = memoryStore();
  const image = await storedImage(store, ['base']);
  await put(server, 'acme/base:1', image, store);
  const base = await clientOf(server).source(`${server.host}/acme/base:1`, store).find(AMD64);
  const shop = assemble(base, { ...appOf(), layers: [] });
  await clientOf(server).target(`${server.host}/acme/shop:1`).put(shop.image, unionOf(store, base.blobs));
  return digestOfImage(image);
}

/** An image of somebody who says what they like of their base. */
async function pushLiar(server: TestRegistry, claims: Readonly<Record<string, string>>): Promise<void> {
  const store = memoryStore();
  const image = await storedImage(store, ['evil', 'app']);
  const { value, descriptor } = image.manifest;
  const annotations = Object.fromEntries(
    Object.entries(claims).map(([name, text]) => [`org.opencontainers.image.base.${name}`, text]),
  );
  await put(
    server,
    'acme/liar:1',
    { ...image, manifest: documentOf({ ...value, annotations }, descriptor.mediaType) },
    store,
  );
}

async function codes(server: TestRegistry, name: string, policy: Policy): Promise<readonly string[]> {
  const tools = { sandbox: hostSandbox(), env: {}, registries: clientOf(server) };
  const result = await check({ images: [`docker://${server.host}/${name}`], policy, now: 0, cacheDir }, tools);
  expect(result.ok).toBe(result.images[0]?.violations.length === 0);
  return result.images.flatMap(({ violations }) => violations.map(({ code }) => code));
}

describe('check of an image in a registry', () => {
  it('proves its base by digest and by name', async () => {
    const server = await here.registry();
    const digest = await pushShop(server);
    const { host } = server;
    for (const allow of [[digest], [`${host}/acme/base`], [`docker://${host}/acme/base:1`], ['x', digest]])
      expect(await codes(server, 'acme/shop:1', { bases: { allow } })).toEqual([]);
    for (const allow of [[], [`${host}/acme/base:2`], [`${host}/acme/bas`], [`sha256:${'0'.repeat(64)}`]])
      expect(await codes(server, 'acme/shop:1', { bases: { allow } })).toEqual(['RST_BASE']);
  });

  it('does not believe an image that names a base which it does not stand on', async () => {
    const server = await here.registry();
    const digest = await pushShop(server);
    const name = `${server.host}/acme/base:1`;
    await pushLiar(server, { name, digest });
    expect(await codes(server, 'acme/liar:1', { bases: { allow: [digest, name] } })).toEqual(['RST_BASE']);
  });

  it('does not believe the name of a base that lies elsewhere', async () => {
    const server = await here.registry();
    await pushShop(server);
    const store = memoryStore();
    const evil = await storedImage(store, ['evil']);
    await put(server, 'acme/liar:base', evil, store);
    const name = `${server.host}/acme/base:1`;
    await pushLiar(server, { name, digest: digestOfImage(evil) });
    expect(await codes(server, 'acme/liar:1', { bases: { allow: [name] } })).toEqual(['RST_BASE']);
    expect(await codes(server, 'acme/liar:1', { bases: { allow: [digestOfImage(evil)] } })).toEqual([]);
  });

  it('does not take a record that lies for a base that may have setuid files, once bases are named', async () => {
    const server = await here.registry();
    const { image, store } = await madeImage({ layers: [[file('bin/su', '', 0o4755)]] });
    const claimed = assemble({ image }, { ...appOf(), layers: [] });
    await put(server, 'acme/own:1', claimed.image, store);
    const policy: Policy = { setuid: 'base-only' };
    expect(await codes(server, 'acme/own:1', policy)).toEqual([]);
    const strict: Policy = { ...policy, bases: { allow: [`sha256:${'0'.repeat(64)}`] } };
    expect(await codes(server, 'acme/own:1', strict)).toContain('RST_BASE');
  });

  it('fetches no layer where the policy asks for none, and none twice', async () => {
    const server = await here.registry();
    const { image, store } = await madeImage({ layers: [[file('app/a')], [file('app/b')]] });
    await put(server, 'acme/plain:1', image, store);
    const layers = image.manifest.value.layers.map(({ digest }) => digest);
    const fetched = () =>
      server.seen.filter(({ method, url }) => method === 'GET' && layers.some((digest) => url.endsWith(digest)));
    server.seen.length = 0;
    expect(await codes(server, 'acme/plain:1', { maxLayers: 2 })).toEqual([]);
    expect(fetched()).toEqual([]);
    for (const setuid of ['forbid', 'base-only'] as const)
      expect(await codes(server, 'acme/plain:1', { setuid })).toEqual([]);
    expect(fetched()).toHaveLength(2);
  });
});

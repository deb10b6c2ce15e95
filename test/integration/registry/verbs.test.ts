import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { unionOf } from '../../../src/blobs/union.js';
import type { App } from '../../../src/oci/app.js';
import { assemble } from '../../../src/oci/assemble.js';
import { OCI_INDEX, OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { parseTargets, putImage } from '../../../src/steps/put-image.js';
import { resolveBase } from '../../../src/steps/resolve-base.js';
import { digestOf, parseDiffId } from '../../../src/values/digest.js';
import type { Event } from '../../../src/values/events.js';
import { appOf, storedImage } from '../../support/image.js';
import { refuse, type TestRegistry } from '../../support/registry.js';
import { selfSigned } from '../../support/tls.js';
import { AMD64, clientOf, failureOf, fileWith, pushed, removeFiles, someImage, world } from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

interface Asked {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

const tools = (server: TestRegistry) => ({ on: () => undefined, registries: clientOf(server) });

describe('an image that goes to several places', () => {
  /** Three places, of which the second one is in a registry. */
  async function threePlaces() {
    const server = await here.registry();
    const made = await someImage();
    const directory = dirname(await fileWith(''));
    const texts = [`oci:${directory}/layout:1`, `docker://${server.host}/acme/shop:1`, `oci:${directory}/other:1`];
    const places = await parseTargets(texts, tools(server));
    const put = (more: object = {}) => putImage(made.image, made.store, places, { ...tools(server), ...more });
    const { digest } = made.image.manifest.descriptor;
    const configSize = made.image.config.bytes.byteLength;
    const at = (name: string) => ({
      place: `oci:${directory}/${name}:1`,
      state: 'done',
      reference: `oci:${directory}/${name}@${digest}`,
    });
    return { server, put, digest, configSize, texts, done: [at('layout'), at('other')] };
  }
  const isTagPut = ({ method, url = '' }: Asked) => method === 'PUT' && url.endsWith('/manifests/1');

  it('FLT-15 comes to all but the one that fails, and the error tells of each; a second run does the rest', async () => {
    const { server, put, digest, configSize, texts, done } = await threePlaces();
    server.fault(isTagPut, (_, response) => Boolean(refuse(response, 403, 'DENIED', 'this tag cannot be moved')), 1);
    const error = await failureOf(put());
    const [layout, other] = done;
    const failed = { place: texts[1], state: 'failed', code: 'REGISTRY_UNAUTHORIZED', message: error.message };
    expect(error).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED', details: { places: [layout, failed, other] } });
    expect(error.why?.split('\n').slice(-3)).toEqual([
      `done: ${layout?.reference}`,
      `failed: ${texts[1]}`,
      `done: ${other?.reference}`,
    ]);
    server.seen.length = 0;
    expect(await put()).toEqual([layout?.reference, `docker://${server.host}/acme/shop@${digest}`, other?.reference]);
    const sent = server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('/blobs/'));
    expect(sent.map(({ bytes }) => bytes)).toEqual([configSize]);
    server.seen.length = 0;
    await put();
    expect(server.seen.filter(({ method }) => method !== 'HEAD' && method !== 'GET')).toEqual([]);
  });

  it('FLT-15 counts a tag as moved when the answer is lost and the registry has moved it', async () => {
    const { server, put } = await threePlaces();
    server.fault(isTagPut, async (request, response, body) => {
      const bytes = await body();
      const type = String(request.headers['content-type']);
      server.manifests.set('acme/shop', new Map([['1', { type, bytes }]]));
      response.destroy();
      return true;
    });
    expect(await put()).toHaveLength(3);
  });

  it('FLT-15 is told to be unknown where nobody can tell whether the tag was moved', async () => {
    const { server, put, texts } = await threePlaces();
    let isGone = false;
    server.fault(
      (request) => isGone || isTagPut(request),
      (_, response) => {
        isGone = true;
        response.destroy();
        return true;
      },
    );
    const error = await failureOf(put());
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      details: { places: [{ state: 'done' }, { place: texts[1], state: 'unknown' }, { state: 'done' }] },
    });
    expect(error.why).toContain('whether the tag was moved could not be found out');
  });

  it('FLT-15 is told to be untried after an interruption', async () => {
    const { server, put } = await threePlaces();
    const stop = new AbortController();
    server.fault(isTagPut, () => {
      stop.abort();
      return true;
    });
    expect(await failureOf(put({ signal: stop.signal }))).toMatchObject({
      code: 'INTERRUPTED',
      details: { places: [{ state: 'done' }, { state: 'unknown' }, { state: 'untried' }] },
    });
  });

  it('is written nowhere when one place cannot be pushed to', async () => {
    const server = await here.registry({ challenge: () => 'Basic realm="r"' });
    const directory = dirname(await fileWith(''));
    const texts = [`oci:${directory}/layout:1`, `${server.host}/acme/shop:1`];
    expect(await failureOf(parseTargets(texts, tools(server)))).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
  });

  it('leaves no upload open when it only looks', async () => {
    const server = await here.registry();
    await parseTargets([`${server.host}/acme/shop:1`], tools(server));
    const uploads = server.seen.filter(({ url }) => url.includes('/uploads/')).map(({ method }) => method);
    expect(uploads).toEqual(['POST', 'DELETE']);
    expect(server.manifests.size).toBe(0);
  });
});

describe('a push that is aborted', () => {
  it.each([
    ['while a layer is sent', ({ method, url = '' }: Asked) => method === 'PUT' && url.includes('/uploads/')],
    ['before the tag is moved', ({ method, url = '' }: Asked) => method === 'PUT' && url.endsWith('/manifests/1')],
  ])('FLT-1 %s leaves the tag as it was', async (_, match) => {
    const server = await here.registry();
    const before = await pushed(server);
    const { image, store } = await someImage(50_000);
    const stop = new AbortController();
    server.fault(match, () => {
      stop.abort(new Error('stopped'));
      return true;
    });
    const put = clientOf(server).target(`${server.host}/acme/shop:1`).put(image, store, stop.signal);
    expect((await failureOf(put)).message).toBe('stopped');
    expect(server.manifests.get('acme/shop')?.get('1')?.bytes).toEqual(Buffer.from(before.image.manifest.bytes));
  });
});

describe('a base in a registry', () => {
  it('is chosen from an index by its platform, and pinned by the digest of the index', async () => {
    const server = await here.registry();
    const store = memoryStore();
    const entries = [];
    for (const architecture of ['arm64', 'amd64']) {
      const image = await storedImage(store, [architecture], architecture);
      await clientOf(server).target(`${server.host}/acme/base:${architecture}`).put(image, store);
      entries.push({ ...image.manifest.descriptor, platform: { os: 'linux', architecture } });
    }
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries }));
    const stored = { type: `${OCI_INDEX}; charset=utf-8`, bytes };
    server.manifests.get('acme/base')?.set('run', stored).set(digestOf(bytes), stored);
    const options = { platform: AMD64, store: memoryStore(), ...tools(server) };
    const resolved = await resolveBase(`${server.host}/acme/base:run`, options);
    expect(resolved.pinned).toBe(digestOf(bytes));
    expect(resolved.base.image.manifest.descriptor.digest).toBe(entries[1]?.digest);
    expect(resolved.base.name).toBe(`${server.host}/acme/base:run`);
    const missing = { ...options, platform: { os: 'linux', architecture: 's390x' } };
    expect(await failureOf(resolveBase(`${server.host}/acme/base:run`, missing))).toMatchObject({
      code: 'BASE_NOT_FOUND',
      why: 'it has images for linux/arm64, linux/amd64',
    });
  });

  it('stays what the lock says when its tag moves, and is the same base', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const locked = image.manifest.descriptor.digest;
    const reference = `${server.host}/acme/shop:1`;
    const other = await someImage(99);
    await clientOf(server).target(reference).put(other.image, other.store);
    const events: Event[] = [];
    const options = {
      ...tools(server),
      platform: AMD64,
      store: memoryStore(),
      on: (event: Event) => events.push(event),
    };
    const resolved = await resolveBase(reference, { ...options, locked, frozen: true });
    expect(resolved).toMatchObject({ pinned: locked, base: { name: reference } });
    expect(events).toEqual([expect.objectContaining({ code: 'LOCK_KEEPS_OLD' })]);
  });

  it('is what the tag says now when the registry has no more what the lock says', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const events: Event[] = [];
    const options = {
      ...tools(server),
      platform: AMD64,
      store: memoryStore(),
      on: (event: Event) => events.push(event),
    };
    const locked = digestOf(Buffer.from('gone'));
    const reference = `${server.host}/acme/shop:1`;
    expect((await resolveBase(reference, { ...options, locked })).pinned).toBe(image.manifest.descriptor.digest);
    expect(events).toEqual([expect.objectContaining({ code: 'LOCK_CHANGED' })]);
    expect(await failureOf(resolveBase(reference, { ...options, locked, frozen: true }))).toMatchObject({
      code: 'LOCK_FROZEN',
    });
  });

  it('is read from the registry once', async () => {
    const server = await here.registry();
    await pushed(server, 10_000);
    const store = memoryStore();
    const access = clientOf(server);
    const read = async () => {
      const found = await access.source(`${server.host}/acme/shop:1`, store).find(AMD64);
      for (const layer of found.image.manifest.value.layers) for await (const _ of found.blobs.stream(layer));
    };
    await read();
    server.seen.length = 0;
    await read();
    expect(server.seen.filter(({ url }) => url.includes('/blobs/sha256')).length).toBeLessThanOrEqual(1);
  });
});

describe('a registry that only an image names', () => {
  it('REG-3 is not asked in a private network, unless the user named it too', async () => {
    const server = await here.registry({ tls: selfSigned() });
    const access = clientOf(server, { insecure: [] });
    const find = (isHint: boolean) =>
      access.source(`${server.host}/acme/base:1`, memoryStore(), { isHint }).find(AMD64);
    expect(await failureOf(find(true))).toMatchObject({
      code: 'REGISTRY_ADDRESS',
      fix: `if that is right, say so: --trust-host ${server.host}`,
    });
    expect(await failureOf(find(false))).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(await failureOf(find(true))).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });
});

describe('a rebase within a registry', () => {
  it('REB-6 moves no byte of a layer', async () => {
    const server = await here.registry();
    const store = memoryStore();
    const bases = [];
    for (const [tag, text] of [
      ['1', 'a'.repeat(5000)],
      ['2', 'b'.repeat(7000)],
    ] as const) {
      bases.push(await storedImage(store, [`${tag}${text}`]));
      await clientOf(server)
        .target(`${server.host}/acme/base:${tag}`)
        .put(bases.at(-1) as never, store);
    }
    const access = clientOf(server);
    const base = async (tag: string) => access.source(`${server.host}/acme/base:${tag}`, memoryStore()).find(AMD64);
    const app: App = { ...appOf(), layers: await appLayers(store) };
    const first = await base('1');
    await access.target(`${server.host}/acme/shop:1`).put(assemble(first, app).image, unionOf(store, first.blobs));
    const second = await base('2');
    const moved = assemble(second, app).image;
    server.seen.length = 0;
    const none = memoryStore();
    await access.target(`${server.host}/acme/shop:1`).put(moved, unionOf(none, second.blobs));
    const layers = new Set<string>(moved.manifest.value.layers.map(({ digest }) => digest));
    const read = server.seen.filter(({ method, url }) => method === 'GET' && layers.has(url.slice(-71)));
    expect(read).toEqual([]);
    const sent = server.seen
      .filter(({ method }) => method === 'PUT')
      .map(({ url, bytes }) => [url.split('/')[4], bytes]);
    expect(sent.map(([what]) => what)).toEqual(['blobs', 'manifests']);
    expect(server.seen.length).toBeLessThan(10);
  });
});

async function appLayers(store: ReturnType<typeof memoryStore>): Promise<App['layers']> {
  const bytes = Buffer.from('a layer of the app');
  const descriptor = { mediaType: OCI_LAYER_GZIP, digest: digestOf(bytes), size: bytes.byteLength };
  await store.write(descriptor, [bytes]);
  return [{ name: 'source', diffId: parseDiffId(digestOf(Buffer.from('tar'))), descriptor }];
}

import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { type Registries, registries } from '../../../src/registry/access.js';
import { digestOf } from '../../../src/values/digest.js';
import { storedImage } from '../../support/image.js';
import { serveRegistry, type TestRegistry } from '../../support/registry.js';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const store = memoryStore();
let server: TestRegistry;
let access: Registries;

beforeEach(async () => {
  server = await serveRegistry();
  access = registries({ env: {}, insecure: [server.host] });
});
afterEach(() => server.close());

describe('a registry', () => {
  it('gives back the image that was pushed to it, byte for byte', async () => {
    const image = await storedImage(store, ['one', 'two']);
    const written = await access.target(`${server.host}/acme/shop:1`).put(image, store);
    expect(written).toBe(`docker://${server.host}/acme/shop@${image.manifest.descriptor.digest}`);
    const pulled = memoryStore();
    const found = await access.source(`${server.host}/acme/shop:1`, pulled).find(AMD64);
    expect(found.image.manifest.bytes).toEqual(Buffer.from(image.manifest.bytes));
    expect(found.name).toBe(`${server.host}/acme/shop:1`);
    for (const layer of image.manifest.value.layers)
      expect(await bytesOf(found.blobs.stream(layer))).toEqual(Buffer.from(await store.read(layer)));
  });

  it('sends layers several at once, each once', async () => {
    const texts = ['1', '2', '3', '4', '5', '6', '7', '8'];
    const image = await storedImage(store, texts);
    await access.target(`${server.host}/acme/shop:1`).put(image, store);
    let [running, most] = [0, 0];
    server.fault(
      ({ method, url = '' }) => method === 'GET' && url.includes('/blobs/'),
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 50));
        running -= 1;
        return false;
      },
    );
    server.seen.length = 0;
    const { blobs } = await access.source(`${server.host}/acme/shop:1`, memoryStore()).find(AMD64);
    const layers = image.manifest.value.layers;
    const all = await Promise.all(layers.map((layer) => bytesOf(blobs.stream(layer))));
    expect(all.map(digestOf)).toEqual(layers.map(({ digest }) => digest));
    expect(most).toBe(6);
    // The config is known from the push.
    expect(server.seen.filter(({ method, url }) => method === 'GET' && url.includes('/blobs/'))).toHaveLength(8);
  });

  it('gets as many requests at once as it is said to take', async () => {
    const wide = registries({ env: {}, insecure: [server.host], tuning: { parallel: 20 } });
    let [running, most] = [0, 0];
    server.fault(
      ({ method }) => method === 'HEAD',
      async () => {
        running += 1;
        most = Math.max(most, running);
        // Until all are there; if they never are, for a second.
        for (let waited = 0; most < 20 && waited < 1000; waited += 10) await new Promise((go) => setTimeout(go, 10));
        running -= 1;
        return false;
      },
    );
    await Promise.all(Array.from({ length: 20 }, (_, at) => wide.digestOf(`${server.host}/acme/shop:${at}`)));
    expect(most).toBe(20);
  });

  it('leaves nothing under way when a layer cannot be had', async () => {
    const image = await storedImage(store, ['1', '2', '3', '4']);
    await access.target(`${server.host}/acme/shop:1`).put(image, store);
    const [first, second] = image.manifest.value.layers;
    server.blobs.get('acme/shop')?.delete(second?.digest ?? '');
    const { blobs } = await access.source(`${server.host}/acme/shop:1`, memoryStore()).find(AMD64);
    await expect(first && bytesOf(blobs.stream(first))).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    const asked = server.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.seen).toHaveLength(asked);
  });
});

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Readable.from(stream).toArray());
}

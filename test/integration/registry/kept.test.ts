import { chmod, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import { hexOf } from '../../../src/values/digest.js';
import { canonicalJson } from '../../../src/values/document.js';
import { AMD64, bytesOf, clientOf, failureOf, lastLayer, pushed, type World, world } from './world.js';

let here: World;
let root: string;
beforeEach(async () => {
  here = world();
  root = await mkdtemp(join(tmpdir(), 'pack-build-kept-'));
});
afterEach(async () => {
  await here.close();
  await rm(root, { recursive: true });
});

/** Reads a base with all its layers by way of a store on the disk. */
async function readBase(access: ReturnType<typeof clientOf>, reference: string) {
  const found = await access.source(reference, directoryStore(root), { isBase: true }).find(AMD64);
  const layers = [];
  for (const layer of found.image.manifest.value.layers) layers.push(await bytesOf(found.blobs.stream(layer)));
  return { ...found, layers };
}

describe('a base that was read by its digest', () => {
  it('is read again without asking anybody', async () => {
    const server = await here.registry();
    const { image } = await pushed(server, 5000);
    const reference = `${server.host}/acme/shop:1@${image.manifest.descriptor.digest}`;
    const first = await readBase(clientOf(server), reference);
    await server.close();
    server.seen.length = 0;
    const again = await readBase(clientOf(server), reference);
    expect([again.layers, again.image, again.name]).toEqual([first.layers, first.image, first.name]);
    expect(server.seen).toEqual([]);
  });

  it('is read again without asking anybody when it came from a mirror', async () => {
    const [server, mirror] = [await here.registry(), await here.registry()];
    const { image } = await pushed(mirror);
    const reference = `${server.host}/acme/shop:1@${image.manifest.descriptor.digest}`;
    const through = { insecure: [server.host, mirror.host], mirrors: { [server.host]: [mirror.host] } };
    const first = await readBase(clientOf(server, through), reference);
    mirror.seen.length = 0;
    expect((await readBase(clientOf(server, through), reference)).layers).toEqual(first.layers);
    expect([...mirror.seen, ...server.seen]).toEqual([]);
  });

  it('is chosen from its index again without asking anybody', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const child = { ...image.manifest.descriptor, platform: AMD64 };
    const index = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...child }] }));
    await fetch(`${server.url}/v2/acme/shop/manifests/all`, {
      method: 'PUT',
      headers: { 'content-type': OCI_INDEX },
      body: index,
    });
    const first = await readBase(clientOf(server), `${server.host}/acme/shop:all`);
    await server.close();
    const again = await readBase(clientOf(server), `${server.host}/acme/shop:all@${first.index}`);
    expect([again.layers, again.index]).toEqual([first.layers, first.index]);
  });

  it('is asked for where something of it is missing or damaged, and then kept again', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const reference = `${server.host}/acme/shop@${image.manifest.descriptor.digest}`;
    await readBase(clientOf(server), reference);
    for (const { digest } of [image.manifest.descriptor, image.config.descriptor]) {
      const file = join(root, 'sha256', hexOf(digest));
      await chmod(file, 0o644);
      await writeFile(file, 'damaged');
      server.seen.length = 0;
      expect((await readBase(clientOf(server), reference)).image.config.bytes).toEqual(Buffer.from(image.config.bytes));
      expect(server.seen.map(({ method }) => method)).not.toEqual([]);
      server.seen.length = 0;
      await readBase(clientOf(server), reference);
      expect(server.seen).toEqual([]);
    }
  });

  it('does without a note that cannot be read, or that lies', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const reference = `${server.host}/acme/shop@${image.manifest.descriptor.digest}`;
    await readBase(clientOf(server), reference);
    const notes = join(root, 'notes');
    for (const text of ['', '{', '[]', '{"mediaType":"text/html","size":1}', '{"mediaType":7}']) {
      for (const name of await readdir(notes)) await writeFile(join(notes, name), text);
      server.seen.length = 0;
      expect((await readBase(clientOf(server), reference)).image.manifest.bytes).toEqual(
        Buffer.from(image.manifest.bytes),
      );
      expect(server.seen).toHaveLength(1);
    }
  });

  it('is not taken from what another repository has', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const { digest } = image.manifest.descriptor;
    await readBase(clientOf(server), `${server.host}/acme/shop@${digest}`);
    expect(await failureOf(readBase(clientOf(server), `${server.host}/other/shop@${digest}`))).toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    });
  });
});

describe('a tag', () => {
  it('is asked for each time', async () => {
    const server = await here.registry();
    await pushed(server);
    await readBase(clientOf(server), `${server.host}/acme/shop:1`);
    server.seen.length = 0;
    await readBase(clientOf(server), `${server.host}/acme/shop:1`);
    expect(server.seen.map(({ url }) => url)).toEqual(['/v2/acme/shop/manifests/1']);
  });
});

describe('a layer in the cache', () => {
  it.each([
    ['has other bytes', (file: string) => writeFile(file, Buffer.alloc(5000, 'x'))],
    ['is cut off', (file: string) => truncate(file, 10)],
    ['is empty', (file: string) => writeFile(file, '')],
    ['is a link', (file: string) => rm(file).then(() => symlink('/etc/passwd', file))],
    ['is gone', (file: string) => rm(file)],
  ])('FLT-8 that %s is fetched again, in its place', async (what, damage) => {
    const server = await here.registry();
    const made = await pushed(server, 5000);
    const reference = `${server.host}/acme/shop:1`;
    await readBase(clientOf(server), reference);
    const layer = made.image.manifest.value.layers.at(-1);
    const file = join(root, 'sha256', hexOf(layer?.digest ?? ('' as never)));
    await chmod(file, 0o644);
    await damage(file);
    const access = clientOf(server);
    const { layers } = await readBase(access, reference);
    expect(layers.at(-1)).toEqual(await lastLayer(made));
    expect(await readFile(file)).toEqual(await lastLayer(made));
    const isNoticed = !/link|gone/.test(what);
    expect(access.events).toEqual(
      isNoticed
        ? [
            {
              type: 'notice',
              code: 'CACHE_DAMAGED',
              message: `the layer ${layer?.digest} in the cache is damaged: it is fetched again`,
            },
          ]
        : [],
    );
  });

  it('FLT-8 is shared as a file only when it is whole', async () => {
    const server = await here.registry();
    const made = await pushed(server, 5000);
    const [layer] = made.image.manifest.value.layers.slice(-1);
    if (layer === undefined) throw new Error('no layer');
    await readBase(clientOf(server), `${server.host}/acme/shop:1`);
    const file = join(root, 'sha256', hexOf(layer.digest));
    await chmod(file, 0o644);
    await writeFile(file, Buffer.alloc(layer.size, 'x'));
    const { blobs } = await clientOf(server).source(`${server.host}/acme/shop:1`, directoryStore(root)).find(AMD64);
    expect(await blobs.fileOf?.(layer)).toBe(file);
    expect(await readFile(file)).toEqual(await lastLayer(made));
  });
});

describe('a quick look at a tag', () => {
  it('is one HEAD, at a mirror first', async () => {
    const [server, mirror] = [await here.registry(), await here.registry()];
    const { image } = await pushed(server);
    const insecure = [server.host, mirror.host];
    const access = clientOf(server, { insecure, mirrors: { [server.host]: [mirror.host] } });
    const { digest } = image.manifest.descriptor;
    expect(await access.digestOf(`${server.host}/acme/shop:1`, { isQuick: true })).toBe(digest);
    for (const { seen } of [mirror, server])
      expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /v2/acme/shop/manifests/1']);
  });

  it('is not tried again, and ends soon where nobody answers', async () => {
    const server = await here.registry();
    server.fault(
      () => true,
      () => true,
    );
    const access = clientOf(server, { tuning: { silenceMs: 60_000, quickMs: 100 } });
    const look = () => failureOf(access.digestOf(`${server.host}/acme/shop:1`, { isQuick: true }));
    expect(await look()).toMatchObject({
      code: 'REGISTRY_TIMEOUT',
      message: `${server.host} does not answer`,
      why: 'it was asked once, and given 0.1 seconds',
    });
    expect(await look()).toMatchObject({ code: 'REGISTRY_TIMEOUT' });
    expect(server.seen).toHaveLength(1);
  });

  it('ends when the work is aborted', async () => {
    const server = await here.registry();
    const controller = new AbortController();
    server.fault(
      () => true,
      () => {
        setTimeout(() => controller.abort(new Error('stopped')), 20);
        return true;
      },
    );
    const access = clientOf(server, { signal: controller.signal });
    const error = await failureOf(access.digestOf(`${server.host}/acme/shop:1`, { isQuick: true }));
    expect(error.message).toBe('stopped');
  });

  it('says that there is none', async () => {
    const server = await here.registry();
    expect(await clientOf(server).digestOf(`${server.host}/acme/none:1`, { isQuick: true })).toBeUndefined();
  });
});

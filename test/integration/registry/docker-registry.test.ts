import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { type Registries, registries } from '../../../src/registry/access.js';
import { connect } from '../../../src/registry/connect.js';
import { registryBlobs } from '../../../src/registry/download.js';
import { startUpload } from '../../../src/registry/upload.js';
import { uploadInChunks } from '../../../src/registry/upload-chunks.js';
import { digestOf } from '../../../src/values/digest.js';
import type { Event } from '../../../src/values/events.js';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.js';
import { serveSignedTokens } from '../../support/token-server.js';
import { AMD64, bytesOf, failureOf, fileWith, removeFiles, someImage, withAuths } from './world.js';

const run = promisify(execFile);
const ME = { name: 'me', password: 'correct horse' };
const auth = Buffer.from(`${ME.name}:${ME.password}`).toString('base64');

interface Setting {
  readonly registry: DockerRegistry;
  readonly tokens?: { readonly close: () => Promise<void> };
  readonly options: object;
  /** Flags of skopeo's. */
  readonly flags: readonly string[];
}

const settings: Readonly<Record<string, () => Promise<Setting>>> = {
  'open to all': async () => ({ registry: await startDockerRegistry(), options: {}, flags: [] }),
  'with passwords': async () => {
    const registry = await startDockerRegistry({ user: ME });
    const { authFile } = await withAuths({ [registry.host]: { auth } });
    return { registry, options: { authFile }, flags: ['--authfile', authFile] };
  },
  'behind a token server': async () => {
    const tokens = await serveSignedTokens(ME, 'tests');
    const realm = `${tokens.url}/token`;
    const registry = await startDockerRegistry({
      tokens: { realm, service: 'test', issuer: 'tests', certificate: tokens.certificate },
    });
    const { authFile } = await withAuths({ [registry.host]: { auth } });
    return { registry, tokens, options: { authFile, trusted: [tokens.host] }, flags: ['--authfile', authFile] };
  },
};

describe.each(Object.entries(settings))("Debian's docker-registry %s", (name, start) => {
  let setting: Setting;
  let host: string;
  beforeAll(async () => {
    setting = await start();
    host = setting.registry.host;
  });
  afterAll(async () => {
    await setting.registry.close();
    await setting.tokens?.close();
    await removeFiles();
  });
  const events: Event[] = [];
  afterEach(() => void events.splice(0));
  const client = (more: object = {}): Registries =>
    registries({ env: {}, insecure: [host], on: (event) => events.push(event), ...setting.options, ...more });

  it('takes an image and gives it back', async () => {
    const { image, store } = await someImage(100_000);
    const target = client().target(`${host}/acme/shop:1`);
    await target.check();
    await target.put(image, store);
    const found = await client().source(`${host}/acme/shop:1`, memoryStore()).find(AMD64);
    expect(found.image.manifest.bytes).toEqual(Buffer.from(image.manifest.bytes));
    for (const layer of image.manifest.value.layers)
      expect(await bytesOf(found.blobs.stream(layer))).toEqual(Buffer.from(await store.read(layer)));
  });

  it('takes a blob in pieces', async () => {
    const bytes = randomBytes(100_000);
    const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.byteLength };
    const options = { env: {}, insecure: [host], ...setting.options };
    const to = { client: connect(options), host, repository: 'acme/pieces' };
    const request = { descriptor, open: () => [bytes], mountFrom: [], chunkSize: 10_000 };
    await uploadInChunks(to, request, () => startUpload(to));
    expect(await bytesOf(registryBlobs(to).stream(descriptor))).toEqual(bytes);
  });

  it('mounts layers from one repository in another', async () => {
    const { image, store } = await someImage(1234);
    const access = client();
    await access.target(`${host}/acme/base:1`).put(image, store);
    const empty = memoryStore();
    const found = await access.source(`${host}/acme/base:1`, empty).find(AMD64);
    await access.target(`${host}/other/app:1`).put(found.image, found.blobs);
    expect(events).toEqual([]);
    for (const { digest } of image.manifest.value.layers) expect(await empty.has(digest)).toBe(false);
  });

  it('keeps account of artifacts by a tag', async () => {
    const { image, store } = await someImage(4321);
    const access = client();
    await access.target(`${host}/acme/shop:artifact`).put(image, store);
    const subject = image.manifest.descriptor;
    const attached = await access.attach(`${host}/acme/shop`, subject, {
      artifactType: 'application/spdx+json',
      blobs: [{ mediaType: 'application/spdx+json', bytes: Buffer.from('{}') }],
    });
    expect(await access.referrers(`${host}/acme/shop`, subject.digest)).toEqual([attached]);
  });

  it('tells what it has where there is not what was asked for', async () => {
    const { image, store } = await someImage();
    await client().target(`${host}/acme/tags:7`).put(image, store);
    expect(await failureOf(client().source(`${host}/acme/tags:8`, memoryStore()).find(AMD64))).toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      fix: `name one of its tags: ${host}/acme/tags:7`,
    });
  });

  it('gives to skopeo what we push, and to us what skopeo pushes', async () => {
    const { image, store } = await someImage(50_000);
    await client().target(`${host}/acme/skopeo:ours`).put(image, store);
    const directory = dirname(await fileWith(''));
    const [layout, flags] = [join(directory, 'layout'), [...setting.flags]];
    await run('skopeo', [
      'copy',
      ...flags,
      '--src-tls-verify=false',
      `docker://${host}/acme/skopeo:ours`,
      `oci:${layout}:x`,
    ]);
    const copied = directoryStore(join(layout, 'blobs'));
    expect(await copied.read(image.manifest.descriptor)).toEqual(Buffer.from(image.manifest.bytes));
    await run('skopeo', [
      'copy',
      ...flags,
      '--dest-tls-verify=false',
      `oci:${layout}:x`,
      `docker://${host}/acme/skopeo:theirs`,
    ]);
    const found = await client().source(`${host}/acme/skopeo:theirs`, memoryStore()).find(AMD64);
    expect(found.image.manifest.bytes).toEqual(Buffer.from(image.manifest.bytes));
  });

  if (name !== 'open to all') {
    it('lets in nobody without credentials', async () => {
      const { image, store } = await someImage();
      const target = client({ authFile: await fileWith('{}') }).target(`${host}/acme/shop:1`);
      for (const work of [() => target.check(), () => target.put(image, store)])
        expect(await failureOf(work())).toMatchObject({
          code: 'REGISTRY_UNAUTHORIZED',
          fix: `docker login ${host}, or podman login ${host}`,
        });
    });

    it('lets in nobody with a wrong password', async () => {
      const wrong = { auth: Buffer.from('me:wrong').toString('base64') };
      const target = client(await withAuths({ [host]: wrong })).target(`${host}/acme/shop:1`);
      expect(await failureOf(target.check())).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    });
  }
});

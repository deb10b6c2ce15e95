import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { baseOutdated } from '../../../src/base-outdated.js';
import { resolveReference } from '../../../src/base-resolve.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { unionOf } from '../../../src/blobs/union.js';
import { assemble } from '../../../src/oci/assemble.js';
import { CNB_METADATA } from '../../../src/oci/cnb-labels.js';
import { type Image, layersOf } from '../../../src/oci/image.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { digestOf } from '../../../src/values/digest.js';
import { canonicalJson, documentOf } from '../../../src/values/document.js';
import { appOf, storedImage } from '../../support/image.js';
import type { TestRegistry } from '../../support/registry.js';
import { AMD64, clientOf, failureOf, world } from './world.js';

const here = world();
let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'pack-build-outdated-'));
});
afterEach(async () => {
  await here.close();
  await rm(cacheDir, { recursive: true });
});

/** Puts an index of one base for this platform under the tag `1` of `acme/base`, and gives its digest. */
async function pushBase(server: TestRegistry, text: string): Promise<string> {
  const store = memoryStore();
  const image = await storedImage(store, [text]);
  await clientOf(server).target(`${server.host}/acme/base:${text}`).put(image, store);
  const child = { ...image.manifest.descriptor, platform: AMD64 };
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...child }] }));
  const address = `${server.url}/v2/acme/base/manifests/1`;
  await fetch(address, { method: 'PUT', headers: { 'content-type': OCI_INDEX }, body: bytes });
  return digestOf(bytes);
}

/** Puts an app on what the base's tag stands for. */
async function pushApp(server: TestRegistry): Promise<void> {
  const access = clientOf(server);
  const store = memoryStore();
  const base = await access.source(`${server.host}/acme/base:1`, store).find(AMD64);
  const { image } = assemble(base, { ...appOf(), layers: [] });
  await access.target(`${server.host}/acme/shop:1`).put(image, unionOf(store, base.blobs));
}

const tools = (server: TestRegistry) => ({ sandbox: hostSandbox(), env: {}, registries: clientOf(server) });

async function ask(server: TestRegistry, base?: string) {
  server.seen.length = 0;
  const image = `${server.host}/acme/shop:1`;
  const told = await baseOutdated({ image, base, platform: AMD64, cacheDir }, tools(server));
  return { ...told, asked: server.seen.filter(({ url }) => url.includes('/base/')).map(({ method }) => method) };
}

describe('whether a base is outdated', () => {
  it.each([
    ['where the image says that it came from', (_: string) => undefined],
    ['where the user says', (host: string) => `docker://${host}/acme/base:1`],
  ])('is asked with one HEAD of its index, %s', async (_, base) => {
    const server = await here.registry();
    const before = await pushBase(server, 'one');
    await pushApp(server);
    const name = base(server.host) ?? `${server.host}/acme/base:1`;
    const same = { name, from: before, now: before, isOutdated: false, asked: ['HEAD'] };
    expect(await ask(server, base(server.host))).toEqual(same);
    const after = await pushBase(server, 'two');
    expect(await ask(server, base(server.host))).toEqual({ ...same, now: after, isOutdated: true });
  });

  it('cannot be told of a base that is gone', async () => {
    const server = await here.registry();
    await pushBase(server, 'one');
    await pushApp(server);
    server.manifests.get('acme/base')?.delete('1');
    for (const base of [undefined, `${server.host}/acme/base:1`])
      expect(await failureOf(ask(server, base))).toMatchObject({ code: 'BASE_NOT_FOUND' });
  });
});

describe('whether the base of an image of others is outdated', () => {
  const [old, topLayer] = [`sha256:${'7'.repeat(64)}`, `sha256:${'8'.repeat(64)}`];

  /** Puts an image of others there, and asks. */
  async function askOf(
    labels: (host: string, image: Image) => object,
    annotations: (host: string, base: string) => Readonly<Record<string, string>>,
  ) {
    const server = await here.registry();
    const base = await pushBase(server, 'one');
    const store = memoryStore();
    const layers = await storedImage(store, ['one', 'app']);
    const Labels = { [CNB_METADATA]: JSON.stringify(labels(server.host, layers)) };
    const image = await storedImage(store, ['one', 'app'], 'amd64', { Labels });
    const { value, descriptor } = image.manifest;
    const manifest = documentOf({ ...value, annotations: annotations(server.host, base) }, descriptor.mediaType);
    await clientOf(server)
      .target(`${server.host}/acme/shop:1`)
      .put({ ...image, manifest }, store);
    return { base, host: server.host, told: ask(server) };
  }
  const said = (host: string, digest: string) => ({
    'org.opencontainers.image.base.name': `${host}/acme/base:1`,
    'org.opencontainers.image.base.digest': digest,
  });
  const run = (host: string, top: string, digest: string) => ({
    topLayer: top,
    image: `${host}/acme/base:1`,
    reference: `${host}/acme/base@${digest}`,
  });

  it('is told by the annotations when another tool has moved it and left the label of CNB', async () => {
    const { base, told } = await askOf((host) => ({ runImage: run(host, topLayer, old) }), said);
    expect(await told).toMatchObject({ from: base, isOutdated: false });
  });

  it('is told by the label of CNB as long as it tells of these layers', async () => {
    const labels = (host: string, image: Image) => {
      const [bottom = '', app] = layersOf(image).map(({ diffId }) => diffId);
      return { app: [{ sha: app }], runImage: run(host, bottom, old) };
    };
    const { base, told } = await askOf(labels, said);
    expect(await told).toMatchObject({ from: old, now: base, isOutdated: true });
  });

  it('cannot be told where only its name is known', async () => {
    const named = (host: string) => ({ 'org.opencontainers.image.base.name': `${host}/acme/base:1` });
    const { host, told } = await askOf((at) => ({ runImage: { topLayer, image: `${at}/acme/base:1` } }), named);
    expect(await failureOf(told)).toMatchObject({
      code: 'REBASE_NO_BASE_NAME',
      why: `the image says ${host}/acme/base:1, and no digest, and what that name stood for then nobody knows`,
    });
  });
});

describe('the exact name of a base', () => {
  it('has the digest of its index', async () => {
    const server = await here.registry();
    const digest = await pushBase(server, 'one');
    const reference = `${server.host}/acme/base:1`;
    const { exact, pinned } = await resolveReference({ reference, platform: AMD64, cacheDir }, tools(server));
    expect([exact, pinned]).toEqual([`docker://${reference}@${digest}`, digest]);
    await pushBase(server, 'two');
    const again = await resolveReference({ reference: exact, platform: AMD64, cacheDir }, tools(server));
    expect([again.exact, again.pinned]).toEqual([exact, digest]);
  });
});

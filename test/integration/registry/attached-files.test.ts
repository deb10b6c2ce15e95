import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { gzip } from '../../../src/archive/gzip.js';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { unionOf } from '../../../src/blobs/union.js';
import { cacheAt } from '../../../src/cache/cache.js';
import { formatInventory } from '../../../src/layers/inventory-text.js';
import { assemble } from '../../../src/oci/assemble.js';
import { digestOfImage, type Image, layersOf } from '../../../src/oci/image.js';
import { OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { rebase } from '../../../src/rebase.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { attachFiles } from '../../../src/steps/attached-files.js';
import { providesOf } from '../../../src/steps/base-provides.js';
import type { Tools } from '../../../src/steps/tools.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { imageOf } from '../../support/arbitrary.js';
import { appOf } from '../../support/image.js';
import { directory, file, layer, type Part } from '../../support/layer-tar.js';
import type { TestRegistry } from '../../support/registry.js';
import { AMD64, clientOf, failureOf, removeFiles, world } from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

const TYPE = 'application/vnd.dev.pack-build.files.v1';

/** A base in a registry, and what somebody with an empty cache finds in it. */
async function withBase(
  work: (scene: {
    readonly server: TestRegistry;
    readonly reference: string;
    readonly base: Image;
    readonly dir: string;
    readonly access: ReturnType<typeof clientOf>;
    /** Whether it has /etc/true and /etc/lie, and how many layers were read for that; with or without trust. */
    readonly look: (cache: string, trusts: boolean) => Promise<readonly [string, number]>;
  }) => Promise<void>,
): Promise<void> {
  await withTempDir('attached', undefined, async (dir) => {
    const server = await here.registry({ referrers: true });
    const access = clientOf(server);
    const store = memoryStore();
    const { diffId, tar } = await layer(file('etc/true', 'x'));
    const stored = { diffId, descriptor: { mediaType: OCI_LAYER_GZIP, ...(await store.ingest(gzip(tar()))) } };
    const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers' as const, diff_ids: [diffId] } };
    const base = imageOf(config, [stored]);
    const reference = `${server.host}/acme/base:1`;
    await access.target(reference).put(base, store);
    await work({
      server,
      reference,
      base,
      dir,
      access,
      look: async (name, trusts) => {
        const tools = { on: () => undefined, env: {}, registries: clientOf(server) } as unknown as Tools;
        const cache = cacheAt(join(dir, name));
        const found = await tools.registries?.source(reference, directoryStore(cache.blobs)).find(AMD64);
        const before = server.seen.length;
        if (found === undefined) throw new Error('no base');
        const provides = await providesOf(found.image, found.blobs, cache, tools, trusts ? { reference } : undefined);
        const has = ['/etc/true', '/etc/lie'].filter((path) => provides.hasPath(path)).join(' ');
        const read = server.seen.slice(before).filter(({ url }) => url.endsWith(stored.descriptor.digest));
        return [has, read.length];
      },
    });
  });
}

/** A list of these files for layers, as it is attached. */
async function listOf(layers: readonly string[], parts: readonly Part[], format = 3): Promise<Uint8Array> {
  const files = parts.map(([{ path, type, ...entry }]) => [path, { type: type as 'file', ...entry }] as const);
  return gzipSync(JSON.stringify({ format, layers, files: formatInventory(new Map(files)) }));
}

const diffIdsOf = (image: Image) => layersOf(image).map(({ diffId }) => diffId);

describe('the list of files that is attached to a base', () => {
  it('spares who trusts it the layers', () =>
    withBase(async ({ reference, base, access, look }) => {
      expect(await look('one', true)).toEqual(['/etc/true', 1]);
      const found = { mode: 0o755, uid: 0, gid: 0, size: 0 };
      const list = new Map([
        ['etc', { ...found, type: 'directory' as const }],
        ['etc/true', { ...found, type: 'file' as const }],
      ]);
      await attachFiles(reference, base, list, access);
      expect(await look('two', true)).toEqual(['/etc/true', 0]);
      expect(await look('three', false)).toEqual(['/etc/true', 1]);
    }));

  it('is not kept, so that a lie is believed by nobody who did not ask for it', () =>
    withBase(async ({ reference, base, access, look }) => {
      const bytes = await listOf(diffIdsOf(base), [directory('etc'), file('etc/lie')]);
      const blobs = [{ mediaType: `${TYPE}+json+gzip`, bytes }];
      await access.attach(reference, base.manifest.descriptor, { artifactType: TYPE, blobs });
      expect(await look('cache', true)).toEqual(['/etc/lie', 0]);
      expect(await look('cache', false)).toEqual(['/etc/true', 1]);
      // What was read from the layers is better than any word.
      expect(await look('cache', true)).toEqual(['/etc/true', 0]);
    }));

  it('REG-3 is not asked for in a private network when only an image names the base', () =>
    withBase(async ({ server, reference, base, access }) => {
      await attachFiles(reference, base, new Map(), access);
      const request = { subject: digestOfImage(base), artifactType: TYPE, most: 1000 };
      const stranger = clientOf(server, { insecure: [] });
      server.seen.length = 0;
      for (const _ of ['at first', 'and when it was asked before'])
        expect(await failureOf(stranger.attached(reference, request, { isHint: true }))).toMatchObject({
          code: 'REGISTRY_ADDRESS',
        });
      expect(server.seen).toEqual([]);
      expect(await access.attached(reference, request, { isHint: true })).toBeDefined();
    }));

  it.each([
    ['an image names the base', undefined, true],
    ['the user names the base', 'acme/base:1', false],
  ])('is asked for as the base is when %s', (_, named, isHint) =>
    withBase(async ({ server, base, access, dir }) => {
      const store = memoryStore();
      const found = await access.source(`${server.host}/acme/base:1`, store).find(AMD64);
      const { image } = assemble(found, { ...appOf(), layers: [] });
      await access.target(`${server.host}/acme/shop:1`).put(image, unionOf(store, found.blobs));
      const asked: unknown[] = [];
      const attached: typeof access.attached = async (reference, request, how) => {
        asked.push([request.subject, how?.isHint ?? false]);
        return access.attached(reference, request, how);
      };
      const moving = rebase(
        {
          image: `${server.host}/acme/shop:1`,
          base: named && `${server.host}/${named}`,
          trustAttached: true,
          cacheDir: join(dir, 'cache'),
        },
        { sandbox: hostSandbox(), env: {}, registries: { ...access, attached } },
      );
      expect(await failureOf(moving)).toMatchObject({ message: expect.stringContaining('it has no /bin/bash') });
      expect(asked).toEqual([[digestOfImage(base), isHint]]);
    }),
  );

  it('is passed over when it is for other layers, of another form, damaged, or not what was listed', () =>
    withBase(async ({ server, reference, base, access, look }) => {
      const subject = base.manifest.descriptor;
      const attach = (bytes: Uint8Array, artifactType = TYPE) =>
        access.attach(reference, subject, { artifactType, blobs: [{ mediaType: `${TYPE}+json+gzip`, bytes }] });
      const own = diffIdsOf(base);
      const lies = [directory('etc'), file('etc/lie')];
      for (const bytes of [
        await listOf([`sha256:${'7'.repeat(64)}`], lies),
        await listOf(own, lies, 1),
        Buffer.from('{}'),
        gzipSync('{'),
        gzipSync(
          JSON.stringify({ format: 3, layers: own, files: formatInventory(new Map([['etc/lie', {} as never]])) }),
        ),
        gzipSync(JSON.stringify({ format: 3, layers: own, files: `${'0'.repeat(64)}\netc/lie\0{}\n` })),
        gzipSync(JSON.stringify({ format: 3, layers: own, files: 7 })),
      ]) {
        await attach(bytes);
        expect(await look(`cache ${bytes.byteLength}`, true)).toEqual(['/etc/true', 1]);
      }
      await attach(await listOf(own, lies), 'application/other');
      expect(await look('other type', true)).toEqual(['/etc/true', 1]);
      const { digest } = await access.attach(
        reference,
        { ...subject, digest: `sha256:${'7'.repeat(64)}` as never },
        {
          artifactType: TYPE,
          blobs: [{ mediaType: `${TYPE}+json+gzip`, bytes: await listOf(own, lies) }],
        },
      );
      // A registry that lists what is about another image.
      const listed = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 10, artifactType: TYPE };
      server.fault(
        ({ url = '' }) => url.endsWith(`/referrers/${digestOfImage(base)}`),
        (_, response) => {
          response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' });
          response.end(JSON.stringify({ schemaVersion: 2, manifests: [listed] }));
          return true;
        },
      );
      expect(await look('other subject', true)).toEqual(['/etc/true', 1]);
    }));
});

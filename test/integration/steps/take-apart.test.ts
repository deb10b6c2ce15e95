import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import { cacheAt } from '../../../src/cache/cache.js';
import { openTarget } from '../../../src/layout/places.js';
import { assemble } from '../../../src/oci/assemble.js';
import { CNB_METADATA } from '../../../src/oci/cnb-labels.js';
import type { ImageConfig, Manifest, RunConfig } from '../../../src/oci/documents.js';
import { digestOfImage, type Image, type Layer, labelsOf, layersOf } from '../../../src/oci/image.js';
import type { Parts } from '../../../src/oci/parts.js';
import { openSource } from '../../../src/steps/open-place.js';
import { takeApart } from '../../../src/steps/take-apart.js';
import type { Tools } from '../../../src/steps/tools.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { documentOf } from '../../../src/values/document.js';
import type { Event } from '../../../src/values/events.js';
import { parsePlace } from '../../../src/values/place.js';
import { appOf, storedImage } from '../../support/image.js';
import type { TestRegistry } from '../../support/registry.js';
import { AMD64, clientOf, world } from '../registry/world.js';

const here = world();
afterEach(() => here.close());

function annotated(image: Image, annotations: Readonly<Record<string, string>>): Image {
  const { value, descriptor } = image.manifest;
  return { ...image, manifest: documentOf<Manifest>({ ...value, annotations }, descriptor.mediaType) };
}

/** What other tools make of an image: the layers of another base below its own, and these labels over it. */
async function onLayersOf(
  store: BlobStore,
  image: Image,
  base: Image,
  below: number,
  labels: Readonly<Record<string, string>> = {},
): Promise<Image> {
  const layers = [...layersOf(base), ...layersOf(image).slice(below)];
  const { value, descriptor } = image.config;
  const config = documentOf<ImageConfig>(
    {
      ...value,
      config: { ...value.config, Labels: { ...labelsOf(image), ...labels } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    },
    descriptor.mediaType,
  );
  await store.write(config.descriptor, [config.bytes]);
  const { mediaType } = image.manifest.descriptor;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
  };
  return { config, manifest: documentOf(manifest, mediaType) };
}

function layerOf(image: Image, at: number): Layer {
  return layersOf(image)[at] as Layer;
}

const digits = (image: Image) => layersOf(image).map(({ diffId }) => diffId);

/** A registry with a base `acme/run:1`; and how an image on it is taken apart, from a layout or from the registry. */
async function withBase(
  work: (scene: {
    readonly base: Image;
    readonly other: Image;
    readonly server: TestRegistry;
    readonly name: string;
    readonly store: BlobStore;
    /** Puts an image of these layers beside the others; gives its digest. */
    readonly push: (tag: string, texts: readonly string[], run?: RunConfig) => Promise<string>;
    readonly foreign: (labels: Readonly<Record<string, string>>) => Promise<Image>;
    readonly apart: (
      image: Image,
      from?: 'layout' | 'registry',
      oldBase?: string,
    ) => Promise<{
      readonly layers: number;
      readonly digest: string | undefined;
      readonly events: readonly Event[];
      readonly parts: Parts;
    }>;
  }) => Promise<void>,
): Promise<void> {
  await withTempDir('take-apart', undefined, async (dir) => {
    const server = await here.registry();
    const store = memoryStore();
    const client = clientOf(server);
    const base = await storedImage(store, ['one', 'two'], 'amd64', { Env: ['A=1'] });
    const other = await storedImage(store, ['one', 'three']);
    const name = `${server.host}/acme/run:1`;
    await client.target(name).put(base, store);
    await client.target(`${server.host}/acme/other:1`).put(other, store);
    await work({
      base,
      other,
      server,
      name,
      store,
      push: async (tag, texts, run) => {
        const image = await storedImage(store, texts, 'amd64', run);
        for (const to of ['run', 'shop']) await client.target(`${server.host}/acme/${to}:${tag}`).put(image, store);
        return digestOfImage(image);
      },
      foreign: (Labels) => storedImage(store, ['one', 'two', 'app'], 'amd64', { Env: ['A=1'], Labels }),
      apart: async (image, from = 'layout', oldBase) => {
        const events: Event[] = [];
        // One that has read nothing yet.
        const registries = clientOf(server);
        const tools = { on: (event: Event) => events.push(event), env: {}, registries } as unknown as Tools;
        const layout = parsePlace(`oci:${join(dir, 'layout')}:1`);
        await openTarget(layout).put(image, store);
        const remote = `${server.host}/acme/shop:1`;
        await client.target(remote).put(image, store);
        const place = from === 'layout' ? layout : parsePlace(remote);
        const found = await openSource(place, memoryStore(), tools).find(AMD64);
        const cache = cacheAt(join(dir, 'cache'));
        const parts = await takeApart(found.image, { place, oldBase }, cache, tools);
        return { layers: parts.base.layers.length, digest: parts.base.digest, events, parts };
      },
    });
  });
}

describe('takeApart', () => {
  it('finds the base of an image of others by its annotations, with a tag in the name or without a name', () =>
    withBase(async ({ base, name, foreign, apart }) => {
      const digest = digestOfImage(base);
      const image = await foreign({});
      const said = { 'org.opencontainers.image.base.name': name, 'org.opencontainers.image.base.digest': digest };
      for (const from of ['layout', 'registry'] as const)
        expect(await apart(annotated(image, said), from)).toMatchObject({ layers: 2, digest });
      const both = annotated(image, { 'org.opencontainers.image.base.name': `${name}@${digest}` });
      expect(await apart(both)).toMatchObject({ layers: 2, digest });
    }));

  it('refuses annotations that name another image than the one below', () =>
    withBase(async ({ other, name, foreign, apart }) => {
      const said = {
        'org.opencontainers.image.base.name': name.replace('/run', '/other'),
        'org.opencontainers.image.base.digest': digestOfImage(other),
      };
      await expect(apart(annotated(await foreign({}), said))).rejects.toMatchObject({
        code: 'REBASE_SEAM_BROKEN',
        why: expect.stringMatching(/^layer 2 of 2 of the base is /),
      });
    }));

  it('says what is to be done when the base is not to be had, and takes it from elsewhere', () =>
    withBase(async ({ name, foreign, apart, base }) => {
      const said = {
        'org.opencontainers.image.base.name': name,
        'org.opencontainers.image.base.digest': `sha256:${'7'.repeat(64)}`,
      };
      const image = annotated(await foreign({}), said);
      await expect(apart(image)).rejects.toMatchObject({
        code: 'REBASE_OLD_BASE_LOST',
        fix: 'name a place that has it: --old-base REF',
      });
      expect(await apart(image, 'layout', name)).toMatchObject({ layers: 2, digest: digestOfImage(base) });
    }));

  it("finds the base of CNB's lifecycle, and does with its label when the base is gone", () =>
    withBase(async ({ base, name, foreign, apart }) => {
      const [, topLayer] = digits(base);
      const [, , app] = digits(await foreign({}));
      const label = (reference: string) =>
        JSON.stringify({ app: [{ sha: app }], runImage: { topLayer, reference, image: name } });
      const digest = digestOfImage(base);
      const there = await apart(await foreign({ [CNB_METADATA]: label(`${name.replace(/:1$/, '')}@${digest}`) }));
      expect(there).toMatchObject({ layers: 2, digest, events: [] });
      const gone = await apart(await foreign({ [CNB_METADATA]: label(`${name}@sha256:${'7'.repeat(64)}`) }));
      expect(gone).toMatchObject({ layers: 2, digest: undefined, events: [{ type: 'notice', code: 'OLD_BASE_LOST' }] });
    }));

  it.each<[string, Parameters<TestRegistry['fault']>[1], string]>([
    ['breaks off', (request) => request.socket.destroy() !== undefined, 'REGISTRY_UNREACHABLE'],
    ['is down', (_, response) => response.writeHead(503).end() !== undefined, 'REGISTRY_FAILED'],
    ['has had enough', (_, response) => response.writeHead(429).end() !== undefined, 'REGISTRY_LIMITED'],
  ])('does not take another way because a registry %s today', (_, fault, code) =>
    withBase(async ({ base, name, server, foreign, apart }) => {
      const [, topLayer] = digits(base);
      const [, , app] = digits(await foreign({}));
      const reference = `${name}@${digestOfImage(base)}`;
      const label = JSON.stringify({ app: [{ sha: app }], runImage: { topLayer, reference, image: name } });
      server.fault(({ url = '' }) => url.startsWith('/v2/acme/run/'), fault);
      await expect(apart(await foreign({ [CNB_METADATA]: label }))).rejects.toMatchObject({
        code,
        message: expect.stringContaining('the base that the image was built on could not be asked for: '),
        fix: expect.stringContaining('--old-base REF'),
      });
    }),
  );

  it('says what was answered where the base is not to be had', () =>
    withBase(async ({ base, name, server, foreign, apart }) => {
      const [, topLayer] = digits(base);
      const [, , app] = digits(await foreign({}));
      const digest = digestOfImage(base);
      const run = { topLayer, reference: `${name}@${digest}`, image: name };
      server.fault(
        ({ url = '' }) => url.startsWith('/v2/acme/run/'),
        (_, response) => response.writeHead(403).end() !== undefined,
      );
      const told = expect.stringContaining(`${server.host} does not let us read acme/run`);
      const image = await foreign({ [CNB_METADATA]: JSON.stringify({ app: [{ sha: app }], runImage: run }) });
      const { events } = await apart(image);
      expect(events).toMatchObject([{ type: 'notice', code: 'OLD_BASE_LOST', message: told }]);
      const said = { 'org.opencontainers.image.base.name': name, 'org.opencontainers.image.base.digest': digest };
      await expect(apart(annotated(await foreign({}), said))).rejects.toMatchObject({
        code: 'REBASE_OLD_BASE_LOST',
        why: told,
      });
    }));

  it('asks for the base of an image that says nothing', () =>
    withBase(async ({ base, name, foreign, apart, other }) => {
      const image = await foreign({});
      await expect(apart(image)).rejects.toMatchObject({ code: 'REBASE_NOT_OURS' });
      expect(await apart(image, 'registry', name)).toMatchObject({ layers: 2, digest: digestOfImage(base) });
      const wrong = apart(image, 'registry', name.replace('/run', '/other'));
      await expect(wrong).rejects.toMatchObject({ code: 'REBASE_SEAM_BROKEN' });
      expect(layersOf(other)).toHaveLength(2);
    }));

  it('refuses an image whose label and annotations name two bases that it could stand on', () =>
    withBase(async ({ base, name, foreign, apart, push }) => {
      const [bottom] = digits(base);
      const first = await push('first', ['one']);
      const label = JSON.stringify({ runImage: { topLayer: bottom, reference: `${name}@${first}` } });
      const said = {
        'org.opencontainers.image.base.name': name,
        'org.opencontainers.image.base.digest': digestOfImage(base),
      };
      const image = annotated(await foreign({ [CNB_METADATA]: label }), said);
      await expect(apart(image, 'registry')).rejects.toMatchObject({
        code: 'REBASE_SEAM_BROKEN',
        why: 'one is its 1 lowest layers, the other its 2 lowest',
      });
      expect(await apart(image, 'registry', name)).toMatchObject({ layers: 2 });
    }));

  describe('of an image of ours that another tool has moved', () => {
    const TEXTS = ['one', 'two', 'app'];

    it('follows the annotations that crane rebase writes', () =>
      withBase(async ({ base, apart, push, store, name }) => {
        const first = await storedImage(store, ['one'], 'amd64', { Env: ['A=1'] });
        await push('first', ['one'], { Env: ['A=1'] });
        const app = appOf({ layers: [{ ...layerOf(await storedImage(store, TEXTS), 2), name: 'source' }] });
        const made = assemble({ image: first }, app).image;
        const said = {
          'org.opencontainers.image.base.name': name,
          'org.opencontainers.image.base.digest': digestOfImage(base),
        };
        const craned = annotated(await onLayersOf(store, made, base, 1), said);
        const { parts, ...told } = await apart(craned, 'registry');
        expect(told).toMatchObject({
          layers: 2,
          digest: digestOfImage(base),
          events: [{ type: 'notice', code: 'MOVED_BY_OTHERS' }],
        });
        const next = { image: first, name: 'next' };
        expect(digestOfImage(parts.onto(next).image)).toBe(digestOfImage(assemble(next, app).image));
      }));

    it('follows the label that pack rebase writes, also when the base is gone', () =>
      withBase(async ({ base, apart, store }) => {
        const labels = { 'io.buildpacks.stack.id': 'old', 'io.buildpacks.base.distro.name': 'debian' };
        const first = await storedImage(store, ['one'], 'amd64', { Labels: labels });
        const app = appOf({ layers: [{ ...layerOf(await storedImage(store, TEXTS), 2), name: 'source' }] });
        const made = assemble({ image: first }, app).image;
        const label = JSON.parse(labelsOf(made)[CNB_METADATA] ?? '');
        for (const digest of [digestOfImage(base), `sha256:${'7'.repeat(64)}`]) {
          const runImage = { topLayer: digits(base)[1], reference: `r.example/run@${digest}` };
          const packed = await onLayersOf(store, made, base, 1, {
            [CNB_METADATA]: JSON.stringify({ ...label, runImage }),
            'io.buildpacks.stack.id': 'new',
          });
          const { parts, ...told } = await apart(annotated(packed, {}));
          expect(told).toMatchObject({ layers: 2, events: [{ type: 'notice', code: 'MOVED_BY_OTHERS' }] });
          expect(digestOfImage(parts.onto({ image: first }).image)).toBe(digestOfImage(made));
        }
      }));

    it('refuses one that nothing proves, and one whose app was changed', () =>
      withBase(async ({ base, apart, store, name }) => {
        const first = await storedImage(store, ['one']);
        const app = appOf({ layers: [{ ...layerOf(await storedImage(store, TEXTS), 2), name: 'source' }] });
        const made = assemble({ image: first }, app).image;
        const silent = annotated(await onLayersOf(store, made, base, 1), {});
        await expect(apart(silent)).rejects.toMatchObject({ code: 'REBASE_SEAM_BROKEN' });
        expect(await apart(silent, 'layout', name)).toMatchObject({ layers: 2, digest: digestOfImage(base) });
        const said = { 'org.opencontainers.image.base.digest': digestOfImage(base) };
        const changed = annotated(await onLayersOf(store, made, base, 1, { team: 'shop' }), said);
        await expect(apart(changed)).rejects.toMatchObject({ code: 'REBASE_SEAM_BROKEN' });
      }));
  });
});

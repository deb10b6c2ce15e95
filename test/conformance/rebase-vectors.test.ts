import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../src/oci/assemble.js';
import { type HistoryEntry, type ImageConfig, MAX_DOCUMENT_BYTES, parseManifest } from '../../src/oci/documents.js';
import { moveForeign } from '../../src/oci/foreign.js';
import { layersBelow } from '../../src/oci/foreign-seam.js';
import { type Base, digestOfImage, type Image, type Layer, labelsOf, layersOf } from '../../src/oci/image.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.js';
import { rebaseImage } from '../../src/oci/rebase.js';
import { checkRebase } from '../../src/oci/rebase-checks.js';
import { RECORD_LABEL } from '../../src/oci/record.js';
import { split } from '../../src/oci/split.js';
import { documentOf } from '../../src/values/document.js';
import { reread } from '../support/arbitrary.js';
import { appOf, baseOf, layerNo } from '../support/image.js';

/**
 * What implementations of a rebase get wrong. Each is tried on an image of ours, and on one of others that has the same
 * layers: the layers of the result are those of the new base and then the app's, there and back again.
 */
interface Vector {
  readonly base?: Base;
  readonly app?: readonly Layer[];
  readonly next?: Base;
  /** Settings of the image of others that differ from the base's. */
  readonly config?: Partial<ImageConfig>;
}

const numbered = (count: number, from: number): readonly Layer[] =>
  Array.from({ length: count }, (_, at) => {
    const hex = (from + at).toString(16).padStart(8, '0').repeat(8);
    return { ...layerNo('a', { digest: `sha256:${hex}` as never }), diffId: `sha256:${hex}` as never };
  });
const digits = (text: string) => [...text].map((digit) => layerNo(digit));
const withHistory = (history: readonly HistoryEntry[] | undefined, layers = digits('ab')) =>
  baseOf({ layers, config: history === undefined ? {} : { history } });
const made: HistoryEntry = { created_by: 'RUN' };
const empty: HistoryEntry = { created_by: 'ENV', empty_layer: true };
const typed = (mediaType: string, layers: readonly Layer[]) =>
  layers.map((layer) => ({ ...layer, descriptor: { ...layer.descriptor, mediaType } }));
const DOCKER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const elsewhere = layerNo('e', { mediaType: FOREIGN, urls: ['https://example.com/layer'] });
const recompressed = ['a', 'b'].map((digit) => ({ ...layerNo('f'), diffId: layerNo(digit).diffId }));

const VECTORS: Readonly<Record<string, Vector>> = {
  'no history': { base: withHistory(undefined) },
  'no history on either base, and with the app': {
    base: withHistory(undefined),
    next: withHistory([made, made, made], digits('123')),
  },
  'a short history': { base: withHistory([made]) },
  'a long history': { base: withHistory([made, made, made, made]) },
  'a history that is all empty_layer': { base: withHistory([empty, empty, empty]) },
  'the same diffID in base and app': { base: baseOf({ layers: digits('aab') }), app: digits('ab') },
  'the same diffID as the new base in the app': { app: digits('13') },
  'a base with 0 layers': { base: baseOf({ layers: [] }) },
  'a new base with 0 layers': { next: baseOf({ layers: [] }) },
  'an app with 0 layers': { app: [] },
  'a new base that is the old one, compressed anew': { next: baseOf({ layers: recompressed }) },
  'a zstd base under a gzip app': { base: baseOf({ layers: typed(ZSTD, digits('ab')) }) },
  'a zstd new base under a gzip app': { next: baseOf({ layers: typed(ZSTD, digits('12')) }) },
  'a Docker base under an OCI app': { base: baseOf({ docker: true, layers: typed(DOCKER_GZIP, digits('ab')) }) },
  'a Docker new base under an OCI app': { next: baseOf({ docker: true, layers: typed(DOCKER_GZIP, digits('12')) }) },
  'a foreign layer with urls': { base: baseOf({ layers: [elsewhere, layerNo('b')] }) },
  'a foreign layer with urls in the new base': { next: baseOf({ layers: [layerNo('1'), elsewhere] }) },
  'more than 127 layers': { base: baseOf({ layers: numbered(130, 1000) }), app: numbered(32, 2000) },
  'a config with members that nobody knows': {
    base: baseOf({ config: { 'x-base': { deep: [1, 2] }, config: { 'X-Run': true } } }),
  },
  'a value of Env with equals signs': { base: baseOf({ config: { config: { Env: ['OPTS=-Da=b -Dc=d=e'] } } }) },
};

const idsOf = (image: Image) => layersOf(image).map(({ diffId }) => diffId);
const ids = (layers: readonly Layer[]) => layers.map(({ diffId }) => diffId);
const filled = ({ config }: Image) => (config.value.history ?? []).filter(({ empty_layer }) => empty_layer !== true);

describe.each(Object.entries(VECTORS))('a rebase with %s', (_, vector) => {
  const { base = baseOf(), app = digits('cd'), next = baseOf({ layers: digits('123'), name: 'next' }) } = vector;
  const baseLayers = layersOf(base.image);
  const nextLayers = layersOf(next.image);

  it('keeps every layer of an image of ours, and gives what a build on the new base would', () => {
    const ours = appOf({ layers: app.map((layer, at) => ({ ...layer, name: `layer ${at}` })) });
    const image = reread(assemble(base, ours).image);
    const moved = rebaseImage(image, next).image;
    expect(idsOf(moved)).toEqual(ids([...nextLayers, ...app]));
    expect(filled(moved)).toHaveLength(nextLayers.length + app.length);
    expect(digestOfImage(moved)).toBe(digestOfImage(assemble(next, ours).image));
    expect(digestOfImage(rebaseImage(reread(moved), base).image)).toBe(digestOfImage(image));
    expect(new Set(moved.manifest.value.layers.map(({ mediaType }) => /docker/.test(mediaType)))).not.toContain(true);
  });

  it('keeps every layer of an image of others, and each descriptor in the family of its manifest', () => {
    const layers = [...baseLayers, ...app];
    const image = baseOf({ layers, config: { ...base.image.config.value, ...vector.config } }).image;
    const below = { layers: layersBelow(image, base.image), image: base.image };
    const moved = reread(moveForeign(image, below, next).image);
    expect(idsOf(moved)).toEqual(ids([...nextLayers, ...app]));
    expect(filled(moved)).toHaveLength(nextLayers.length + app.length);
    expect(moved.manifest.value.layers.filter(({ mediaType }) => /docker/.test(mediaType))).toEqual([]);
    const back = moveForeign(moved, { layers: layersBelow(moved, next.image), image: next.image }, base).image;
    expect(idsOf(back)).toEqual(ids(layers));
  });
});

describe('what a rebase carries along', () => {
  it('keeps urls and annotations of a foreign layer, on either side of the seam', () => {
    const noted = layerNo('e', { mediaType: FOREIGN, urls: ['https://example.com/layer'], annotations: { note: 'x' } });
    const image = baseOf({ layers: [layerNo('a'), noted] }).image;
    const base = baseOf({ layers: [layerNo('a')] });
    const next = baseOf({ layers: [{ ...noted, diffId: layerNo('1').diffId }] });
    const moved = moveForeign(image, { layers: 1, image: base.image }, next).image;
    for (const descriptor of moved.manifest.value.layers)
      expect(descriptor).toMatchObject({ mediaType: FOREIGN, urls: noted.descriptor.urls, annotations: { note: 'x' } });
  });

  it('keeps the Docker family of an image of others over an OCI base', () => {
    const image = baseOf({ docker: true, layers: typed(DOCKER_GZIP, digits('abc')) }).image;
    const moved = moveForeign(image, { layers: 2, image: baseOf().image }, baseOf({ layers: digits('12') })).image;
    expect([moved.manifest.descriptor.mediaType, moved.config.descriptor.mediaType]).toEqual([
      DOCKER_MANIFEST,
      DOCKER_CONFIG,
    ]);
    expect(new Set(moved.manifest.value.layers.map(({ mediaType }) => mediaType))).toEqual(new Set([DOCKER_GZIP]));
  });

  it('keeps members of a config that nobody knows, at both levels', () => {
    const config = { 'x-own': { deep: [1] }, config: { 'X-Run': 'kept', Env: ['PATH=/bin'] } };
    const image = baseOf({ layers: digits('abc'), config }).image;
    const moved = moveForeign(image, { layers: 2, image: baseOf().image }, baseOf({ layers: digits('12') })).image;
    expect(moved.config.value).toMatchObject({ 'x-own': { deep: [1] }, config: { 'X-Run': 'kept' } });
  });

  it('keeps members of a manifest that nobody knows, and what is noted at its config', () => {
    const { manifest, config } = baseOf({ layers: digits('abc') }).image;
    const noted = { ...manifest.value.config, annotations: { note: 'c' } };
    const value = { ...manifest.value, config: noted, 'x-own': { deep: [1] }, artifactType: 'application/x-own' };
    const image = reread({ manifest: documentOf(value, OCI_MANIFEST), config });
    const moved = moveForeign(image, { layers: 2, image: baseOf().image }, baseOf({ layers: digits('12') })).image;
    expect(JSON.parse(Buffer.from(moved.manifest.bytes).toString())).toMatchObject({
      config: { ...moved.config.descriptor, annotations: { note: 'c' } },
      'x-own': { deep: [1] },
      artifactType: 'application/x-own',
    });
  });

  it('reads a manifest of nearly 4 MiB, and refuses a larger one', () => {
    const layers = numbered(1, 1).map(({ descriptor }) => descriptor);
    const manifest = (note: number) =>
      documentOf(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          config: { ...layers[0], mediaType: OCI_LAYER_GZIP },
          layers,
          annotations: { note: 'x'.repeat(note) },
        },
        OCI_MANIFEST,
      );
    const frame = manifest(0).bytes.byteLength;
    expect(parseManifest(manifest(MAX_DOCUMENT_BYTES - frame).bytes, OCI_MANIFEST).value.layers).toHaveLength(1);
    expect(() => parseManifest(manifest(MAX_DOCUMENT_BYTES - frame + 1).bytes, OCI_MANIFEST)).toThrow(
      expect.objectContaining({ code: 'IMAGE_INVALID' }),
    );
  });
});

describe('what a rebase must do (REB)', () => {
  const image = assemble(baseOf(), appOf()).image;

  it('REB-1 proves the old base by the number and the order of its layers, not by history or by the top one', () => {
    const record = split(image).base;
    expect(record.layers.map(({ diffId }) => diffId)).toEqual(ids(digits('ab')));
    // The top layer of the base twice: whoever looks for it cuts at the wrong place.
    const twice = assemble(
      baseOf({ layers: digits('ab') }),
      appOf({ layers: [{ ...layerNo('b'), name: 'same' }] }),
    ).image;
    expect(idsOf(rebaseImage(twice, baseOf({ layers: digits('1') })).image)).toEqual(ids(digits('1b')));
    const exchanged = withLayers(image, digits('bacd'));
    expect(() => split(exchanged)).toThrow(expect.objectContaining({ code: 'REBASE_SEAM_BROKEN' }));
    const other = baseOf({ layers: digits('ae') }).image;
    expect(() => layersBelow(image, other)).toThrow(
      expect.objectContaining({ why: expect.stringContaining('layer 2 of 2 of the base') }),
    );
  });

  it('REB-2 takes platform and settings of the new base, keeps those of the app, and names conflicts', () => {
    const next = baseOf({
      layers: digits('12'),
      config: {
        'os.version': '12.1',
        'os.features': ['f'],
        variant: 'v8',
        config: { Env: ['PATH=/opt:/bin', 'SSL=2'] },
      },
    });
    const moved = rebaseImage(image, next).image.config.value;
    expect(moved).toMatchObject({ 'os.version': '12.1', 'os.features': ['f'], variant: 'v8' });
    expect(moved.config?.Env).toEqual(['PATH=/opt:/bin', 'SSL=2', 'HOME=/app']);
    const theirs = baseOf({ layers: digits('abc'), config: { config: { Env: ['PATH=/own'] } } }).image;
    const { conflicts, image: after } = moveForeign(theirs, { layers: 2, image: baseOf().image }, next);
    expect(conflicts).toEqual(['Env PATH']);
    expect(after.config.value).toMatchObject({
      variant: 'v8',
      'os.version': '12.1',
      config: { Env: ['PATH=/own', 'SSL=2'] },
    });
  });

  it('REB-3 loses no layer: those of the new base, and then those above the seam', () => {
    for (const { base = baseOf(), app = digits('cd'), next = baseOf({ layers: digits('123') }) } of Object.values(
      VECTORS,
    )) {
      const ours = appOf({ layers: app.map((layer) => ({ ...layer, name: 'x' })) });
      const moved = rebaseImage(assemble(base, ours).image, next).image;
      const old = layersOf(assemble(base, ours).image);
      expect(idsOf(moved)).toEqual(ids([...layersOf(next.image), ...old.slice(layersOf(base.image).length)]));
    }
  });

  it('REB-4 looks at platform, stack, distribution, user, consent, needs and age before anything is written', () => {
    const labels = (id: string, version: string) => ({
      'io.buildpacks.stack.id': id,
      'io.buildpacks.base.distro.name': 'debian',
      'io.buildpacks.base.distro.version': version,
    });
    const on = (Labels: Record<string, string>, more: Partial<ImageConfig> = {}) =>
      baseOf({ config: { ...more, config: { Labels, User: '2000' } } });
    const mine = assemble(on(labels('a', '12')), appOf({ labels: { 'io.buildpacks.rebasable': 'false' } })).image;
    const facts = { lost: ['libssl.so.3'], made: { before: '2026-02-01T00:00:00Z', after: '2026-01-01T00:00:00Z' } };
    const checks = checkRebase(mine, split(mine).app, on(labels('b', '13'), { architecture: 'arm64' }), facts, {});
    expect(checks.map(({ name, verdict, waiver }) => `${name} ${verdict} ${waiver}`)).toEqual([
      'platform fails undefined',
      'stack fails --allow-stack-change',
      'distro fails --allow-distro-change',
      'uid fails --allow-uid-change',
      'rebasable fails --allow-not-rebasable',
      'needs fails --allow-abi-break',
      'downgrade fails --allow-downgrade',
    ]);
  });

  it('REB-5 gives the same digest for the same image and base, by whatever way it came there', () => {
    const [b, c] = [baseOf({ layers: digits('12') }), baseOf({ layers: digits('345') })];
    const straight = digestOfImage(rebaseImage(image, c).image);
    expect(digestOfImage(rebaseImage(reread(image), c).image)).toBe(straight);
    expect(digestOfImage(rebaseImage(rebaseImage(image, b).image, c).image)).toBe(straight);
    expect(digestOfImage(rebaseImage(rebaseImage(image, c).image, c).image)).toBe(straight);
  });

  it('refuses a record of a schema that it does not know, and one that was altered by hand', () => {
    const label = labelsOf(image)[RECORD_LABEL] ?? '';
    const altered = (text: string) => withLabel(image, text);
    expect(() => split(altered(label.replace('"schema":1', '"schema":2')))).toThrow(
      expect.objectContaining({ code: 'REBASE_SEAM_BROKEN' }),
    );
    expect(() => split(altered(JSON.stringify({ ...JSON.parse(label), schema: 2 })))).toThrow(
      expect.objectContaining({ code: 'REBASE_RECORD_INVALID', fix: 'use a newer pack-build' }),
    );
  });
});

function withLayers(image: Image, layers: readonly Layer[]): Image {
  const { value, descriptor } = image.config;
  const config = documentOf<ImageConfig>(
    { ...value, rootfs: { type: 'layers', diff_ids: [...ids(layers)] } },
    descriptor.mediaType,
  );
  const manifest = {
    ...image.manifest.value,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
  };
  return { config, manifest: documentOf(manifest, OCI_MANIFEST) };
}

function withLabel(image: Image, label: string): Image {
  const { value, descriptor } = image.config;
  const Labels = { ...labelsOf(image), [RECORD_LABEL]: label };
  const config = documentOf<ImageConfig>({ ...value, config: { ...value.config, Labels } }, descriptor.mediaType);
  return { config, manifest: documentOf({ ...image.manifest.value, config: config.descriptor }, OCI_MANIFEST) };
}

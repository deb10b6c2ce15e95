import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CNB_METADATA } from '../../../src/oci/cnb-labels.js';
import type { ImageConfig } from '../../../src/oci/documents.js';
import { moveForeign } from '../../../src/oci/foreign.js';
import { baseHintsOf, layersBelow, layersByLabel } from '../../../src/oci/foreign-seam.js';
import { type Base, digestOfImage, type Image, type Layer, layersOf } from '../../../src/oci/image.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { anyBase, imageOf } from '../../support/arbitrary.js';
import { baseOf, layerNo } from '../../support/image.js';

const OLD = [layerNo('a'), layerNo('b')];
const APP = [layerNo('c'), layerNo('d')];
const NEXT = [layerNo('1'), layerNo('2'), layerNo('3')];

function build(layers: readonly Layer[], config: Partial<ImageConfig> = {}, docker = false): Image {
  const rootfs = { type: 'layers' as const, diff_ids: layers.map(({ diffId }) => diffId) };
  return imageOf({ os: 'linux', architecture: 'amd64', config: {}, ...config, rootfs }, layers, docker);
}

const history = (layers: readonly Layer[]) => layers.map(({ diffId }) => ({ created_by: diffId.slice(7, 10) }));
const digits = (image: Image) =>
  layersOf(image)
    .map(({ diffId }) => diffId[7])
    .join('');

describe('moveForeign', () => {
  const next: Base = { image: build(NEXT, { history: history(NEXT) }), name: 'registry.example/run:2' };
  const move = (image: Image, below: Parameters<typeof moveForeign>[1] = { layers: 2 }, base = next) =>
    moveForeign(image, below, base).image;

  it.each<readonly [string, ImageConfig['history']]>([
    ['a whole history', history([...OLD, ...APP])],
    ['no history', undefined],
    ['a history of the app alone', history(APP)],
    ['a short history', history([...OLD, ...APP]).slice(0, 3)],
    ['a long history', [...history([...OLD, ...APP]), { created_by: 'x' }, { created_by: 'y' }]],
    ['a history of nothing but empty layers', history(APP).map((entry) => ({ ...entry, empty_layer: true }))],
  ])('keeps every layer of an app with %s, and an entry for each', (_, given) => {
    for (const ofBase of [undefined, history(NEXT), history(NEXT).slice(1)]) {
      const base = { image: build(NEXT, ofBase === undefined ? {} : { history: ofBase }) };
      const moved = move(build([...OLD, ...APP], given === undefined ? {} : { history: given }), { layers: 2 }, base);
      expect(digits(moved)).toBe('123cd');
      const entries = (moved.config.value.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
      expect(entries).toHaveLength(5);
    }
  });

  it('takes the entries of the app for those of its layers', () => {
    const moved = move(build([...OLD, ...APP], { history: history([...OLD, ...APP]) }));
    expect(moved.config.value.history?.map(({ created_by }) => created_by)).toEqual([
      '111',
      '222',
      '333',
      'ccc',
      'ddd',
    ]);
  });

  it.each([
    ['twice in base and app', [layerNo('a'), layerNo('a')], [layerNo('a'), layerNo('c')], '123ac'],
    ['none in the base', [], APP, '123cd'],
    ['none in the app', OLD, [], '123'],
  ])('counts layers that are there %s', (_, old, app, expected) => {
    const image = build([...old, ...app]);
    expect(digits(move(image, { layers: layersBelow(image, build(old)) }))).toBe(expected);
  });

  it('keeps the family of the manifest, and brings every descriptor into it', () => {
    const zstd = layerNo('2', { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' });
    const docker = move(build([...OLD, ...APP], {}, true), { layers: 2 }, { image: build([layerNo('1'), zstd]) });
    expect(docker.manifest.value).toMatchObject({ mediaType: DOCKER_MANIFEST, config: { mediaType: DOCKER_CONFIG } });
    expect(docker.manifest.value.annotations).toBeUndefined();
    expect(docker.manifest.value.layers.map(({ mediaType }) => mediaType.replace(/.*diff\./, ''))).toEqual([
      'tar.gzip',
      'tar.zstd',
      'tar.gzip',
      'tar.gzip',
    ]);
    const oci = move(build([...OLD, ...APP]), { layers: 2 }, { image: build(NEXT, {}, true) });
    expect(oci.manifest.value.layers.map(({ mediaType }) => mediaType)).toEqual(Array(5).fill(OCI_LAYER_GZIP));
  });

  it('carries layers that lie elsewhere, and what is written at layers', () => {
    const far = layerNo('d', { urls: ['https://elsewhere.example/d'], annotations: { note: 'x' } });
    const moved = move(build([...OLD, layerNo('c'), far]));
    expect(moved.manifest.value.layers.at(-1)).toMatchObject(far.descriptor);
  });

  it('has the platform of the new base, and all else that it does not know from the app', () => {
    const image = build([...OLD, ...APP], { variant: 'v7', author: 'me', 'x.unknown': { a: [1] }, 'os.version': '1' });
    const base = { image: build(NEXT, { architecture: 'arm64', variant: 'v8', author: 'you', 'os.features': ['f'] }) };
    const { value } = move(image, { layers: 2 }, base).config;
    expect(value).toMatchObject({ architecture: 'arm64', variant: 'v8', author: 'me', 'x.unknown': { a: [1] } });
    expect(value).toMatchObject({ 'os.features': ['f'] });
    expect(value['os.version']).toBeUndefined();
  });

  it('takes from the new base what the app had left as the old base had it', () => {
    const old = build(OLD, { config: { Env: ['PATH=/bin', 'A=1', 'GONE=1', 'B=x=y'], Labels: { v: '1' }, User: '1' } });
    const image = build([...OLD, ...APP], {
      config: {
        Env: ['PATH=/app/bin:/bin', 'A=1', 'GONE=1', 'B=x=y', 'MINE=a=b=c'],
        Labels: { v: '1', app: 'x' },
        User: '1',
        Cmd: ['run'],
      },
    });
    const base = build(NEXT, { config: { Env: ['PATH=/bin:/opt', 'A=2', 'B=x=y'], Labels: { v: '2' }, User: '2' } });
    const { image: moved, conflicts } = moveForeign(image, { layers: 2, image: old }, { image: base });
    expect(moved.config.value.config).toEqual({
      Env: ['PATH=/app/bin:/bin:/opt', 'A=2', 'B=x=y', 'MINE=a=b=c'],
      Labels: { v: '2', app: 'x' },
      User: '2',
      Cmd: ['run'],
    });
    expect(conflicts).toEqual([]);
  });

  it('keeps what both have changed as the app has it, and says so', () => {
    const [old, image, base] = ['1', '2', '3'].map((value) =>
      build(OLD, { config: { Env: [`A=${value}`], User: value, Labels: { l: value } } }),
    ) as [Image, Image, Image];
    const { image: moved, conflicts } = moveForeign(image, { layers: 2, image: old }, { image: base });
    expect(moved.config.value.config).toEqual({ Env: ['A=2'], User: '2', Labels: { l: '2' } });
    expect(conflicts).toEqual(['Env A', 'Labels l', 'User']);
  });

  it('names the new base for those who come after', () => {
    const annotations = { 'org.opencontainers.image.base.digest': 'sha256:old', other: 'x' };
    const image = build([...OLD, ...APP]);
    const manifest = { ...image.manifest, value: { ...image.manifest.value, annotations } };
    expect(move({ ...image, manifest }).manifest.value.annotations).toEqual({
      other: 'x',
      'org.opencontainers.image.base.digest': digestOfImage(next.image),
      'org.opencontainers.image.base.name': 'registry.example/run:2',
    });
  });

  it("tells CNB's tools of the new base in their own label", () => {
    const metadata = { app: [{ sha: 'x' }], runImage: { topLayer: layerNo('b').diffId, image: 'run', mirrors: ['m'] } };
    const moved = move(build([...OLD, ...APP], { config: { Labels: { [CNB_METADATA]: JSON.stringify(metadata) } } }));
    expect(JSON.parse(moved.config.value.config?.Labels?.[CNB_METADATA] ?? '')).toEqual({
      app: [{ sha: 'x' }],
      runImage: {
        topLayer: layerNo('3').diffId,
        reference: `registry.example/run@${digestOfImage(next.image)}`,
        image: 'run',
        mirrors: ['m'],
      },
    });
  });

  it.each(['{', 'null', '7', '"x"', '[]', ''])('leaves a label of CNB that is %j as it is', (label) => {
    const moved = move(build([...OLD, ...APP], { config: { Labels: { [CNB_METADATA]: label } } }));
    expect(moved.config.value.config?.Labels?.[CNB_METADATA]).toBe(label);
  });

  it('does nothing on the base that it stands on, and comes back as it was', () => {
    fc.assert(
      fc.property(anyBase, anyBase, ({ image: one }, { image: two }) => {
        const image = moveForeign(
          build([...layersOf(one), ...APP], { config: { Cmd: ['x'] } }),
          { layers: layersOf(one).length, image: one },
          { image: one },
        ).image;
        const below = { layers: layersOf(one).length, image: one };
        const same = moveForeign(image, below, { image: one }).image;
        expect(digestOfImage(same)).toBe(digestOfImage(image));
        const there = moveForeign(image, below, { image: two }).image;
        expect(layersBelow(there, two)).toBe(layersOf(two).length);
        const back = moveForeign(there, { layers: layersOf(two).length, image: two }, { image: one }).image;
        expect(layersOf(back)).toEqual(layersOf(image));
      }),
    );
  });
});

describe('the seam of an image of others', () => {
  const labelled = (runImage: unknown, layers: readonly Layer[] = [...OLD, ...APP]) =>
    build(layers, {
      config: {
        Labels: { [CNB_METADATA]: JSON.stringify({ app: APP.map(({ diffId }) => ({ sha: diffId })), runImage }) },
      },
    });
  const topLayer = layerNo('b').diffId;

  it('is where the layers of the named base end, whatever they are compressed with', () => {
    const again = build(OLD.map((layer) => ({ ...layer, descriptor: layerNo('e').descriptor })));
    expect(layersBelow(build([...OLD, ...APP]), again)).toBe(2);
  });

  it('is refused with the first layer that differs', () => {
    expect(() => layersBelow(build([...OLD, ...APP]), build([layerNo('a'), layerNo('e')]))).toThrow(
      expect.objectContaining({
        code: 'REBASE_SEAM_BROKEN',
        why: expect.stringMatching(/^layer 2 of 2 of the base is sha256:e+, the image has sha256:b+$/),
      }),
    );
    expect(() => layersBelow(build(OLD), build([...OLD, ...APP]))).toThrow(/cannot be proved/);
  });

  it("is where CNB's label says, if what is above is in the label too", () => {
    expect(layersByLabel(labelled({ topLayer }))).toBe(2);
    expect(layersByLabel(build([...OLD, ...APP]))).toBeUndefined();
  });

  it.each([
    ['names a layer that is not there', labelled({ topLayer: layerNo('e').diffId })],
    ['names a layer that is there twice', labelled({ topLayer }, [...OLD, ...APP, layerNo('b')])],
    ['does not know a layer above', labelled({ topLayer }, [...OLD, ...APP, layerNo('e')])],
    ['names none', labelled({})],
    ['tells of no base', labelled(undefined)],
    ['is no JSON', build(OLD, { config: { Labels: { [CNB_METADATA]: '{' } } })],
  ])('is not believed from a label that %s', (_, image) => {
    expect(() => layersByLabel(image)).toThrow(expect.objectContaining({ code: 'REBASE_SEAM_BROKEN' }));
  });

  const digest = `sha256:${'7'.repeat(64)}`;
  it.each([
    [
      'a reference from a registry',
      { topLayer, reference: `r.example/run@${digest}` },
      { name: 'r.example/run', digest },
    ],
    [
      'an image id from a daemon',
      { topLayer, reference: '7'.repeat(64), image: 'run' },
      { name: 'run', digest: undefined },
    ],
    ['a name alone', { topLayer, image: 'r.example/run:1' }, { name: 'r.example/run:1', digest: undefined }],
  ])('can be looked for by %s', (_, run, hint) => {
    expect(baseHintsOf(labelled(run))).toEqual([{ by: 'cnb', ...hint }]);
  });

  it('can be looked for by the annotations of an image', () => {
    expect(baseHintsOf(baseOf().image)).toEqual([]);
    const image = build(OLD);
    const annotations = { 'org.opencontainers.image.base.name': `r.example/run:1@${digest}` };
    const annotated = { ...image, manifest: { ...image.manifest, value: { ...image.manifest.value, annotations } } };
    expect(baseHintsOf(annotated)).toEqual([{ by: 'annotations', name: 'r.example/run:1', digest }]);
  });
});

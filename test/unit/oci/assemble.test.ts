import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import type { HistoryEntry } from '../../../src/oci/documents.js';
import { digestOfImage, type Image, labelsOf, layersOf } from '../../../src/oci/image.js';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { rebaseImage } from '../../../src/oci/rebase.js';
import { split } from '../../../src/oci/split.js';
import { appOf, baseOf, layerNo } from '../../support/image.js';

const other = baseOf({ layers: [layerNo('1'), layerNo('2'), layerNo('3')], name: 'next' });
const diffIds = (image: Image) => image.config.value.rootfs.diff_ids;
const histories: readonly (readonly [string, readonly HistoryEntry[] | undefined])[] = [
  ['no history', undefined],
  ['short history', [{ created_by: 'one' }]],
  ['long history', [{ created_by: 'one' }, { created_by: 'two' }, { created_by: 'three' }]],
  ['history that is all empty', [{ empty_layer: true }, { empty_layer: true }, { empty_layer: true }]],
  ['history without entries', []],
];

describe('assemble and rebase', () => {
  it.each(histories)('keep every layer of a base with %s', (_, history) => {
    const base = baseOf({ config: history === undefined ? {} : { history } });
    const { image } = assemble(base, appOf());
    expect(diffIds(image)).toEqual([...'abcd'].map((digit) => layerNo(digit).diffId));
    const filled = (image.config.value.history ?? []).filter((entry) => entry.empty_layer !== true);
    expect(filled).toHaveLength(4);
    expect(diffIds(rebaseImage(image, other).image)).toEqual([...'123cd'].map((digit) => layerNo(digit).diffId));
    const back = rebaseImage(rebaseImage(image, other).image, base).image;
    expect(digestOfImage(back)).toBe(digestOfImage(image));
  });

  it('keep a layer that base and app both have, twice', () => {
    const twice = baseOf({ layers: [layerNo('a'), layerNo('a'), layerNo('c')] });
    const { image } = assemble(twice, appOf());
    expect(diffIds(image)).toEqual([...'aaccd'].map((digit) => layerNo(digit).diffId));
    expect(diffIds(rebaseImage(image, other).image)).toEqual([...'123cd'].map((digit) => layerNo(digit).diffId));
  });

  it('take a base without layers', () => {
    const { image } = assemble(baseOf({ layers: [] }), appOf());
    expect(diffIds(image)).toHaveLength(2);
    expect(diffIds(rebaseImage(image, other).image)).toHaveLength(5);
    expect(diffIds(rebaseImage(rebaseImage(image, other).image, baseOf({ layers: [] })).image)).toHaveLength(2);
  });

  it('take an app without layers', () => {
    const { image } = assemble(baseOf(), appOf({ layers: [] }));
    expect(diffIds(image)).toEqual(diffIds(baseOf().image));
    expect(diffIds(rebaseImage(image, other).image)).toEqual(diffIds(other.image));
  });

  it('take a base of the same layers, compressed in another way', () => {
    const recompressed = baseOf({
      layers: ['a', 'b'].map((digit) => ({ ...layerNo('f'), diffId: layerNo(digit).diffId })),
    });
    const { image } = assemble(baseOf(), appOf());
    const rebased = rebaseImage(image, recompressed).image;
    expect(diffIds(rebased)).toEqual(diffIds(image));
    expect(layersOf(rebased)[0]?.descriptor.digest).toBe(layerNo('f').descriptor.digest);
    expect(digestOfImage(rebaseImage(rebased, baseOf()).image)).toBe(digestOfImage(image));
  });

  it('make an OCI image of a Docker base, its layers untouched', () => {
    const mediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
    const docker = baseOf({ docker: true, layers: [layerNo('a', { mediaType })] });
    const { image } = assemble(docker, appOf());
    expect(image.manifest.value.mediaType).toBe(OCI_MANIFEST);
    expect(image.config.descriptor.mediaType).toBe(OCI_CONFIG);
    expect(layersOf(image)[0]).toEqual(layerNo('a', { mediaType: OCI_LAYER_GZIP }));
    expect(diffIds(rebaseImage(image, other).image)).toHaveLength(5);
    expect(digestOfImage(rebaseImage(rebaseImage(image, other).image, docker).image)).toBe(digestOfImage(image));
  });

  it('keep where a foreign layer is and what is noted on it', () => {
    const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const foreign = layerNo('a', { mediaType, urls: ['https://example.com/a'], annotations: { note: 'kept' } });
    const { image } = assemble(baseOf({ docker: true, layers: [foreign, layerNo('b')] }), appOf());
    expect(layersOf(image)[0]?.descriptor).toEqual({
      ...foreign.descriptor,
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    });
    expect(split(image).base.layers).toHaveLength(2);
  });

  it('keep fields of the base that they do not know, at both levels', () => {
    const config = {
      'os.version': '12.5',
      author: 'somebody',
      config: { Volumes: { '/data': {} }, ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['NONE'] } },
    };
    const { image } = assemble(baseOf({ config }), appOf());
    expect(image.config.value).toMatchObject(config);
    const rebased = rebaseImage(image, other).image;
    expect(rebased.config.value).not.toHaveProperty(['os.version']);
    expect(rebased.config.value.config).not.toHaveProperty('Volumes');
  });

  it('keep values of variables that have an equals sign in them', () => {
    const base = baseOf({ config: { config: { Env: ['OPTS=--a=b --c==', 'EMPTY=', 'ODD'] } } });
    const { image } = assemble(base, appOf({ env: { URL: 'x://y?a=b' } }));
    expect(image.config.value.config?.Env).toEqual(['OPTS=--a=b --c==', 'EMPTY=', 'ODD', 'URL=x://y?a=b']);
    expect(split(image).app.env).toEqual({ URL: 'x://y?a=b' });
  });

  it('let the overlay win, and tell of what it won over', () => {
    const base = baseOf({ config: { config: { Env: ['PATH=/bin', 'HOME=/root', 'GONE=1', 'SAME=1'] } } });
    const assembled = assemble(base, appOf({ env: { HOME: '/app', GONE: null, NOT_THERE: null, SAME: '1' } }));
    expect(assembled.image.config.value.config?.Env).toEqual(['PATH=/bin', 'HOME=/app', 'SAME=1']);
    expect(assembled.envCollisions).toEqual(['GONE', 'HOME']);
  });

  it('inherit labels of the base but for those that tell what the base is', () => {
    const config = { config: { Labels: { 'org.opencontainers.image.title': 'Debian', team: 'os' } } };
    const labels = labelsOf(assemble(baseOf({ config }), appOf()).image);
    expect(labels).toMatchObject({ team: 'os', 'org.opencontainers.image.revision': 'abc' });
    expect(labels).not.toHaveProperty(['org.opencontainers.image.title']);
  });

  it('name the base in annotations, where it has a name', () => {
    const named = assemble(other, appOf()).image.manifest.value.annotations;
    expect(named).toMatchObject({
      'org.opencontainers.image.base.name': 'next',
      'org.opencontainers.image.base.digest': digestOfImage(other.image),
    });
    const unnamed = assemble(baseOf(), appOf()).image.manifest.value.annotations;
    expect(unnamed).not.toHaveProperty(['org.opencontainers.image.base.name']);
  });

  it('refuse a base whose documents disagree about its layers', () => {
    const { image } = baseOf();
    const wrong = { ...image, config: baseOf({ layers: [] }).image.config };
    expect(() => assemble({ image: wrong }, appOf())).toThrow(expect.objectContaining({ code: 'IMAGE_INVALID' }));
  });
});

import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import { parseIndex, parseManifest } from '../../../src/oci/documents.js';
import { type Base, digestOfImage, type Image } from '../../../src/oci/image.js';
import { type Child, type ImageIndex, type Other, rootOf } from '../../../src/oci/image-index.js';
import { type Move, mapImages } from '../../../src/oci/map-images.js';
import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { rebaseImage } from '../../../src/oci/rebase.js';
import { fromHex } from '../../../src/values/digest.js';
import { appOf, baseOf, layerNo } from '../../support/image.js';

const PREFIX = 'org.opencontainers.image.base';
const name = 'ghcr.io/acme/base:2';
const NEXT = { index: fromHex('2'.repeat(64)), name };

function on(layer: string, architecture: string, config: object = {}): Base {
  return { ...baseOf({ layers: [layerNo(layer)], config: { architecture, ...config } }), ...NEXT };
}
function imageFor(architecture: string, config: object = {}): Image {
  return assemble(on('a', architecture, config), appOf({ platform: { os: 'linux', architecture } })).image;
}
const toNext: Move = {
  move: (image) => rebaseImage(image, on('b', image.config.value.architecture)).image,
  base: NEXT,
};
const attestation: Other = {
  other: parseManifest(
    Buffer.from(JSON.stringify({ schemaVersion: 2, config: layerNo('e').descriptor, layers: [] })),
    OCI_MANIFEST,
  ),
};

/** An index, as another tool may have written it. */
function indexWith(children: readonly Child[], entries: readonly object[] = [], more: object = {}): ImageIndex {
  const manifests = children.map((child, at) => ({ ...rootOf(child).descriptor, ...entries[at] }));
  const mediaType = (more as { mediaType?: string }).mediaType ?? OCI_INDEX;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests, ...more }));
  return { index: parseIndex(bytes, mediaType), children };
}

function mapped(whole: ImageIndex, move: Move = toNext): ImageIndex {
  return mapImages(whole, move) as ImageIndex;
}

describe('mapImages', () => {
  it('keeps order, annotations and unknown members of an index and its entries, and tells the rest anew', () => {
    const images = [imageFor('arm64'), imageFor('amd64')];
    const annotations = { 'com.example.a': 'b', [`${PREFIX}.name`]: 'old', [`${PREFIX}.digest`]: 'old' };
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8', features: ['x'] };
    const data = Buffer.from(images[0]?.manifest.bytes ?? '').toString('base64');
    const entry = { platform, annotations, 'x-entry': 1, data, urls: ['https://example.com/old'] };
    const whole = indexWith(images, [entry], { annotations, 'x-index': { a: 1 } });
    const { index, children } = mapped(whole);
    const [arm64, amd64] = images.map(toNext.move) as [Image, Image];
    expect(children).toEqual([arm64, amd64]);
    expect(index.value).toEqual({
      schemaVersion: 2,
      manifests: [
        {
          ...arm64.manifest.descriptor,
          platform,
          'x-entry': 1,
          annotations: {
            'com.example.a': 'b',
            [`${PREFIX}.name`]: name,
            [`${PREFIX}.digest`]: digestOfImage(on('b', 'arm64').image),
          },
        },
        amd64.manifest.descriptor,
      ],
      annotations: { 'com.example.a': 'b', [`${PREFIX}.name`]: name, [`${PREFIX}.digest`]: NEXT.index },
      'x-index': { a: 1 },
    });
  });

  it('changes in the platform of an entry what changes in the image', () => {
    const before = imageFor('arm64', { variant: 'v8', 'os.version': '1' });
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '1', 'x-more': true };
    const move = {
      ...toNext,
      move: (image: Image) => rebaseImage(image, on('b', 'arm64', { 'os.version': '2' })).image,
    };
    expect(mapped(indexWith([before], [{ platform }]), move).index.value.manifests[0]?.platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
      'os.version': '2',
      'x-more': true,
    });
  });

  it('leaves out what is no image once an image changes, and nothing when none does', () => {
    const whole = indexWith([imageFor('amd64'), attestation]);
    expect(mapped(whole).children).toEqual([toNext.move(imageFor('amd64'))]);
    expect(mapped(whole).index.value.manifests).toHaveLength(1);
    expect(mapImages(whole, { ...toNext, move: (image) => image })).toBe(whole);
  });

  it('goes into an index within an index, and keeps it', () => {
    const inner = indexWith([imageFor('amd64')], [], { annotations: { inner: 'yes' } });
    const whole = indexWith(
      [inner, imageFor('arm64')],
      [{ annotations: { 'com.example.a': 'b', [`${PREFIX}.digest`]: 'old' } }],
    );
    const { index, children } = mapped(whole);
    const moved = children[0] as ImageIndex;
    expect(moved.children).toEqual([toNext.move(imageFor('amd64'))]);
    expect(moved.index.value.annotations).toMatchObject({ inner: 'yes', [`${PREFIX}.digest`]: NEXT.index });
    expect(index.value.manifests[0]).toEqual({
      ...moved.index.descriptor,
      annotations: { 'com.example.a': 'b', [`${PREFIX}.digest`]: NEXT.index },
    });
  });

  it('says nothing of an index below where the base is a single image', () => {
    const annotations = { [`${PREFIX}.name`]: 'old', [`${PREFIX}.digest`]: 'old' };
    const { index } = mapped(indexWith([imageFor('amd64')], [], { annotations }), { ...toNext, base: { name } });
    expect(index.value).not.toHaveProperty('annotations');
  });

  it('makes an OCI index of a Docker list once its images are OCI images', () => {
    const { index } = mapped(indexWith([imageFor('amd64')], [], { mediaType: DOCKER_LIST }));
    expect([index.descriptor.mediaType, index.value.mediaType]).toEqual([OCI_INDEX, OCI_INDEX]);
  });

  it('moves an image as an image', () => {
    expect(mapImages(imageFor('amd64'), toNext)).toEqual(toNext.move(imageFor('amd64')));
  });
});

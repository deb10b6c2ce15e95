import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import type { Base } from '../../../src/oci/image.js';
import { indexOf } from '../../../src/oci/index-of.js';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { fromHex } from '../../../src/values/digest.js';
import { appOf, baseOf } from '../../support/image.js';

const INDEX = fromHex('1'.repeat(64));

function imageFor(architecture: string, more: Partial<Base> & { config?: object; docker?: boolean } = {}) {
  const { config, docker = false, ...base } = more;
  const made = { ...baseOf({ config: { architecture, ...config }, docker }), ...base };
  return docker ? made.image : assemble(made, appOf({ platform: { os: 'linux', architecture } })).image;
}

describe('indexOf', () => {
  it('names each image with its platform, in order', () => {
    const images = [
      imageFor('arm64', { config: { variant: 'v8' } }),
      imageFor('amd64', { config: { 'os.version': '1', 'os.features': ['a'] } }),
    ];
    const { index, children } = indexOf(images);
    expect(children).toEqual(images);
    expect(index.descriptor.mediaType).toBe(OCI_INDEX);
    expect(index.value).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        { ...images[0]?.manifest.descriptor, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
        {
          ...images[1]?.manifest.descriptor,
          platform: { os: 'linux', architecture: 'amd64', 'os.version': '1', 'os.features': ['a'] },
        },
      ],
    });
    expect(index.value.manifests.map(({ mediaType }) => mediaType)).toEqual([OCI_MANIFEST, OCI_MANIFEST]);
  });

  const name = 'ghcr.io/acme/base:1';
  it.each<[string, Partial<Base>, Partial<Base>, object | undefined]>([
    ['all stand on it', { name, index: INDEX }, { name, index: INDEX }, { name, digest: INDEX }],
    ['it has no name', { index: INDEX }, { index: INDEX }, { digest: INDEX }],
    ['its name is another for each', { name, index: INDEX }, { name: 'b', index: INDEX }, { digest: INDEX }],
    ['one stands on another', { name, index: INDEX }, { name, index: fromHex('2'.repeat(64)) }, undefined],
    ['one stands on none', { name, index: INDEX }, { name }, undefined],
    ['none stands on one', { name }, { name }, undefined],
  ])('tells of the index below where %s', (_, one, two, told: { name?: string; digest?: string } | undefined) => {
    const { annotations } = indexOf([imageFor('amd64', one), imageFor('arm64', two)]).index.value;
    const prefix = 'org.opencontainers.image.base';
    expect(annotations).toEqual(
      told && {
        ...(told.name === undefined ? {} : { [`${prefix}.name`]: told.name }),
        [`${prefix}.digest`]: told.digest,
      },
    );
  });

  it('makes a Docker list of Docker images', () => {
    const { index } = indexOf([imageFor('amd64', { docker: true }), imageFor('arm64', { docker: true })]);
    expect(index.value).toMatchObject({ mediaType: DOCKER_LIST, manifests: [{ mediaType: DOCKER_MANIFEST }, {}] });
  });

  it.each([
    ['two images of one platform', [imageFor('amd64'), imageFor('amd64', { name })], 'two images for linux/amd64'],
    [
      'two that differ in a variant which means the same',
      [imageFor('arm64'), imageFor('arm64', { config: { variant: 'v8' } })],
      'two images for linux/arm64/v8',
    ],
    ['images of both families', [imageFor('amd64'), imageFor('arm64', { docker: true })], 'OCI images and Docker'],
    ['no image', [], 'an index needs an image'],
  ])('refuses %s', (_, images, what) => {
    expect(() => indexOf(images)).toThrow(
      expect.objectContaining({ code: 'INDEX_INVALID', message: expect.stringContaining(what) }),
    );
  });
});

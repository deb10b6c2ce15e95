import { describe, expect, it } from '@jest/globals';
import {
  compressionOf,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isIndex,
  isManifest,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
  ociMediaType,
} from '../../../src/oci/media-types.js';

describe('media types', () => {
  it.each([
    [DOCKER_MANIFEST, OCI_MANIFEST],
    [DOCKER_LIST, OCI_INDEX],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', OCI_LAYER_GZIP],
    ['application/vnd.docker.image.rootfs.diff.tar', OCI_LAYER],
    [OCI_LAYER, OCI_LAYER],
    ['text/plain', 'text/plain'],
    ['constructor', 'constructor'],
    ['__proto__', '__proto__'],
  ])('calls %s by its OCI name', (mediaType, oci) => {
    expect(ociMediaType(mediaType)).toBe(oci);
  });

  it.each([
    [OCI_LAYER, 'none'],
    [OCI_LAYER_GZIP, 'gzip'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar', 'none'],
    ['application/vnd.oci.image.layer.v1.tar+xz', undefined],
    ['application/vnd.in-toto+json', undefined],
    ['constructor', undefined],
  ])('knows how %s is compressed', (mediaType, compression) => {
    expect(compressionOf(mediaType)).toBe(compression);
  });

  it('tells indexes and manifests apart', () => {
    expect([OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].map(isIndex)).toEqual([true, true, false, false]);
    expect([OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].map(isManifest)).toEqual([false, false, true, true]);
  });
});

import { decompress } from '../archive/decompress.js';
import type { BlobReader } from '../blobs/store.js';
import { compressionOf } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import type { DiffId } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { LayerTar } from './unpack.js';

/** A layer as an image names it. */
export interface LayerOfImage {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
}

/** The uncompressed tar of a layer in a store. Throws `IMAGE_INVALID` for what is no layer; reading it, the store's errors. */
export function openLayer({ descriptor, diffId }: LayerOfImage, blobs: BlobReader): LayerTar {
  const expected = compressionOf(descriptor.mediaType);
  if (expected === undefined) {
    throw fail('IMAGE_INVALID', {
      what: `the image has a layer of an unknown kind: ${descriptor.mediaType}`,
      why: 'pack-build reads tar layers, plain or compressed with gzip or zstd',
      details: { digest: descriptor.digest, mediaType: descriptor.mediaType },
    });
  }
  const blob = () => blobs.stream(descriptor);
  // An app may have a large file without a hole but with nothing in it.
  return { diffId, blob, tar: () => decompress(blob(), { expected, mostRatio: Number.POSITIVE_INFINITY }) };
}

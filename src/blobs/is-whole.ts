import type { Descriptor } from '../values/descriptor.js';
import { isFailure } from '../values/error.js';
import type { BlobReader } from './store.js';

/** Reads a blob through and tells whether its bytes are those that its digest names. That is cheaper than to make them anew. */
export async function isWhole(descriptor: Descriptor, blobs: BlobReader): Promise<boolean> {
  return (await stateOfBlob(descriptor, blobs)) === 'whole';
}

/** The same, with a difference between a blob that is not there and one that is there and is not what it should be. */
export async function stateOfBlob(descriptor: Descriptor, blobs: BlobReader): Promise<'whole' | 'absent' | 'damaged'> {
  try {
    for await (const _ of blobs.stream(descriptor));
    return 'whole';
  } catch (error) {
    if (isFailure(error, 'BLOB_NOT_FOUND')) return 'absent';
    if (isFailure(error, 'DIGEST_MISMATCH', 'STORE_FAILED')) return 'damaged';
    throw error;
  }
}

import type { Descriptor } from '../values/descriptor.js';
import { isFailure } from '../values/error.js';
import type { BlobReader } from './store.js';

/** Reads a blob through and tells whether its bytes are those that its digest names. That is cheaper than to make them anew. */
export async function isWhole(descriptor: Descriptor, blobs: BlobReader): Promise<boolean> {
  try {
    for await (const _ of blobs.stream(descriptor));
    return true;
  } catch (error) {
    if (isFailure(error, 'BLOB_NOT_FOUND', 'DIGEST_MISMATCH', 'STORE_FAILED')) return false;
    throw error;
  }
}

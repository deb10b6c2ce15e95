import { type Digest, digestOf } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { BlobStore } from './store.js';
import { collect, verified } from './verified.js';

/** Blobs in memory: for tests, and for images too small to need a place. */
export function memoryStore(): BlobStore {
  const blobs = new Map<Digest, Uint8Array>();
  const stored = (digest: Digest): Uint8Array => {
    const bytes = blobs.get(digest);
    if (bytes === undefined) throw fail('BLOB_NOT_FOUND', { what: `there is no blob ${digest}`, details: { digest } });
    return bytes;
  };
  return {
    has: async (digest) => blobs.has(digest),
    async *stream(descriptor) {
      yield* verified([stored(descriptor.digest)], descriptor, 'memory');
    },
    read: async (descriptor) => collect(verified([stored(descriptor.digest)], descriptor, 'memory'), descriptor),
    async write(descriptor, bytes) {
      const all = await whole(verified(bytes, descriptor, 'the source'));
      blobs.set(descriptor.digest, all);
    },
    async ingest(bytes) {
      const all = await whole(bytes);
      const digest = digestOf(all);
      blobs.set(digest, all);
      return { digest, size: all.byteLength };
    },
  };
}

async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

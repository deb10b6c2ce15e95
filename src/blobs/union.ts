import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { BlobReader } from './store.js';

/** Several readers as one: the first that has a blob gives it. */
export function unionOf(...readers: readonly BlobReader[]): BlobReader {
  return {
    has: async (digest) => (await holderOf(digest, readers)) !== undefined,
    async *stream(descriptor) {
      yield* (await require(descriptor, readers)).stream(descriptor);
    },
    read: async (descriptor) => (await require(descriptor, readers)).read(descriptor),
    fileOf: async (descriptor) => (await require(descriptor, readers)).fileOf?.(descriptor),
  };
}

async function require(descriptor: Descriptor, readers: readonly BlobReader[]): Promise<BlobReader> {
  const holder = await holderOf(descriptor.digest, readers);
  if (holder !== undefined) return holder;
  throw fail('BLOB_NOT_FOUND', {
    what: `the blob ${descriptor.digest} is nowhere to be found`,
    why: `it has ${descriptor.size} bytes of ${descriptor.mediaType}`,
    fix: 'the image or its base is incomplete where it is stored; copy it there again',
  });
}

async function holderOf(digest: Digest, readers: readonly BlobReader[]): Promise<BlobReader | undefined> {
  for (const reader of readers) if (await reader.has(digest)) return reader;
  return undefined;
}

import { limiter } from '../system/limiter.js';
import { fail } from '../values/error.js';
import type { BlobReader } from './store.js';

/** What can give documents. */
export type DocumentReader = Pick<BlobReader, 'read'>;

/** Manifests and configs of a full index take a few MiB. Whoever has many of the largest wants our memory. */
const MOST_MIB = 32;

const AT_ONCE = 8;

/**
 * Does something with documents that others have chosen: a few are read at once, and so many bytes in all. When it fails, no
 * more reads are begun, and none is under way any more. Throws `IMAGE_INVALID` for too many bytes, and what the work throws.
 */
export async function withBoundedReads<T>(
  blobs: DocumentReader,
  place: string,
  work: (blobs: DocumentReader) => Promise<T>,
): Promise<T> {
  const { run } = limiter(AT_ONCE);
  const over = new AbortController();
  const reads: Promise<unknown>[] = [];
  let left = MOST_MIB * 1024 * 1024;
  const read: DocumentReader['read'] = (descriptor) => {
    const reading = run(async () => {
      over.signal.throwIfAborted();
      const bytes = await blobs.read(descriptor);
      left -= bytes.byteLength;
      if (left < 0) throw tooLarge(place);
      return bytes;
    });
    reads.push(reading);
    return reading;
  };
  try {
    return await work({ read });
  } catch (error) {
    over.abort(error);
    await Promise.allSettled(reads);
    throw error;
  }
}

function tooLarge(place: string) {
  return fail('IMAGE_INVALID', {
    what: `${place} has documents that are too large in all`,
    why: `manifests and configs of an index are read to ${MOST_MIB} MiB`,
    fix: 'choose one of its images with --platform OS/ARCH',
  });
}

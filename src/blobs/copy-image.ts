import { piecesOf, type Whole } from '../oci/image-index.js';
import type { Descriptor } from '../values/descriptor.js';
import type { BlobReader, BlobWriter } from './store.js';

/** A store that says what it has and takes what it lacks. */
export type BlobSink = BlobWriter & Pick<BlobReader, 'has'>;

/**
 * Copies the blobs of an image, or of an index with its images, or shares their files: layers first, what names them after
 * them. Those that the target has are left alone, foreign layers (`urls`) are never fetched. Returns what was written, in
 * order.
 */
export async function copyImage(
  whole: Whole,
  from: BlobReader,
  to: BlobSink,
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  const written: Descriptor[] = [];
  const copy = async (descriptor: Descriptor, bytes: () => Parameters<BlobSink['write']>[1], file?: string) => {
    signal?.throwIfAborted();
    if (await to.has(descriptor.digest)) return;
    const shared = file !== undefined && (await to.share?.(descriptor, file));
    if (!shared) await to.write(descriptor, bytes());
    written.push(descriptor);
  };
  const { blobs, configs, manifests } = piecesOf(whole);
  for (const blob of blobs) await copy(blob, () => from.stream(blob), await from.fileOf?.(blob));
  for (const { descriptor, bytes } of [...configs, ...manifests]) await copy(descriptor, () => [bytes]);
  return written;
}

import { measuring } from '../archive/measure.js';
import type { ReadEntry, TarEntry } from '../archive/tar-entry.js';
import { readTar } from '../archive/tar-read.js';
import type { DiffId } from '../values/digest.js';
import { fail, isFailure } from '../values/error.js';
import { examining, type FileFacts } from './examine.js';
import { place } from './place.js';
import { beginLayer, emptyLower, finish, openRoot, type Root, removeLower } from './root.js';
import { whiteoutOf } from './whiteout.js';

/** One layer of an image: its uncompressed tar and what its digest must be. */
export interface LayerTar {
  readonly diffId: DiffId;
  readonly tar: () => AsyncIterable<Uint8Array>;
  /** The layer as it is stored, checked against its digest. */
  readonly blob?: () => AsyncIterable<Uint8Array>;
}

/** Hears of layers while they are unpacked. */
export interface LayerWatcher {
  beginLayer(): void;
  add(entry: TarEntry, facts: FileFacts | undefined): void;
  endLayer(): Promise<void>;
}

/**
 * Applies layers, lowest first, in an empty directory (image-spec, layer.md, Applying Changesets). Whatever a layer holds,
 * nothing outside the directory is touched: links are followed as if the directory were the root.
 * Everything belongs to the user who runs this. Permission bits and times are kept; setuid and setgid bits, devices, fifos
 * and extended attributes are not. Throws `ARCHIVE_INVALID`, `DIGEST_MISMATCH` and whatever the layers' streams throw; then
 * the directory holds a part and is to be removed.
 */
export async function unpackLayers(
  layers: readonly LayerTar[],
  target: string,
  signal?: AbortSignal,
  watcher?: LayerWatcher,
): Promise<void> {
  const root = openRoot(target);
  for (const layer of layers) {
    beginLayer(root);
    watcher?.beginLayer();
    for await (const read of entriesOf(layer)) {
      if (signal?.aborted) throw fail('INTERRUPTED', { what: 'interrupted while the base was unpacked' });
      await (watcher === undefined ? apply(root, read) : applyWatched(root, read, watcher));
    }
    await watcher?.endLayer();
  }
  finish(root);
}

async function applyWatched(root: Root, read: ReadEntry, watcher: LayerWatcher): Promise<void> {
  const examined = examining(read);
  await apply(root, examined.read);
  watcher.add(read.entry, await examined.facts());
}

async function apply(root: Root, read: ReadEntry): Promise<void> {
  const whiteout = whiteoutOf(read.entry);
  if (whiteout === undefined) await place(root, read);
  else if (whiteout.type === 'remove') removeLower(root, whiteout.path);
  else if (whiteout.type === 'empty') emptyLower(root, whiteout.path);
}

/**
 * What a layer holds. Of damaged bytes a tar reader tells some nonsense before their digest is known, so when it complains,
 * the digest has the first word. Throws `ARCHIVE_INVALID`, `DIGEST_MISMATCH` and what the layer's stream throws.
 */
export async function* entriesOf(layer: LayerTar): AsyncGenerator<ReadEntry> {
  try {
    yield* readTar(checked(layer));
  } catch (error) {
    if (layer.blob !== undefined && isFailure(error, 'ARCHIVE_INVALID')) await drain(layer.blob());
    throw error;
  }
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** The tar's bytes; throws behind the last one if they were not those of the layer. */
async function* checked({ diffId, tar }: LayerTar): AsyncGenerator<Uint8Array> {
  const tap = measuring();
  yield* tap.pass(tar());
  const found = tap.result().diffId;
  if (found === diffId) return;
  throw fail('DIGEST_MISMATCH', {
    what: 'a layer does not unpack to what its image says',
    why: `${diffId} expected, ${found} found`,
    fix: 'copy or make the image again, or name another',
    details: { expected: diffId, found },
  });
}

import { measuring } from '../archive/measure.js';
import { drainTar } from '../archive/tar-drain.js';
import type { TarEntry } from '../archive/tar-entry.js';
import type { TarSink } from '../archive/tar-parse.js';
import { LAYER } from '../archive/tar-profile.js';
import type { DiffId } from '../values/digest.js';
import { fail, isFailure } from '../values/error.js';
import { type Examiner, examine, type FileFacts } from './examine.js';
import { type Placer, placer } from './place.js';
import { beginLayer, finish, openRoot } from './root.js';

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
  const files = placer(root);
  const watched = watcher === undefined ? files : watching(files, watcher);
  const sink = signal === undefined ? watched : stopping(watched, signal);
  try {
    for (const layer of layers) {
      beginLayer(root);
      watcher?.beginLayer();
      await drainLayer(layer, sink);
      await watcher?.endLayer();
    }
  } finally {
    files.close();
  }
  finish(root);
}

function stopping(sink: TarSink, signal: AbortSignal): TarSink {
  return {
    ...sink,
    begin(head) {
      if (signal.aborted) throw fail('INTERRUPTED', { what: 'interrupted while the base was unpacked' });
      sink.begin(head);
    },
  };
}

/** Tells the watcher of each entry once it is in its place. */
function watching(files: Placer, watcher: LayerWatcher): TarSink {
  let entry: TarEntry | undefined;
  let examiner: Examiner | undefined;
  return {
    begin(head) {
      entry = head.entry;
      examiner = examine(entry);
      files.begin(head);
    },
    data(bytes) {
      examiner?.data(bytes);
      files.data(bytes);
    },
    end() {
      files.end();
      if (entry !== undefined) watcher.add(entry, examiner?.facts());
    },
  };
}

/**
 * Reads what a layer holds. Of damaged bytes a tar reader tells some nonsense before their digest is known, so when it
 * complains, the digest has the first word. Throws `ARCHIVE_INVALID`, `DIGEST_MISMATCH` and what the layer's stream throws.
 */
export async function drainLayer(layer: LayerTar, sink: TarSink): Promise<void> {
  try {
    await drainTar(checked(layer), LAYER, sink);
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

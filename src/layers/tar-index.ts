import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { drainTar } from '../archive/tar-drain.js';
import type { TarEntry, TarHead } from '../archive/tar-entry.js';
import { LAYER } from '../archive/tar-profile.js';
import { fail } from '../values/error.js';

/** One path of a tar file. */
export interface Indexed {
  /** A hard link stands here as the file that it links to, under its own path. */
  readonly entry: TarEntry;
  /** Where the bytes are; the same for all hard links to one file. */
  readonly offset: number;
  /** The sha256 of the bytes, in hex; empty for all but files. */
  readonly hash: string;
}

/**
 * What an uncompressed tar file on the disk holds, by path. Of a path that is there twice the last counts; the root itself
 * is left out. Throws `ARCHIVE_INVALID`, also for a hard link to something that does not come before it.
 */
export async function indexTar(file: string): Promise<ReadonlyMap<string, Indexed>> {
  const index = new Map<string, Indexed>();
  let head: TarHead | undefined;
  let hash = createHash('sha256');
  await drainTar(createReadStream(file, { highWaterMark: CHUNK }), LAYER, {
    begin(next) {
      head = next;
      if (next.entry.type === 'file') hash = createHash('sha256');
    },
    data: (bytes) => hash.update(bytes),
    end() {
      if (head === undefined || head.entry.path === '') return;
      const { entry, offset } = head;
      if (entry.type === 'link') index.set(entry.path, linked(entry, index));
      else index.set(entry.path, { entry, offset, hash: entry.type === 'file' ? hash.digest('hex') : '' });
    },
  });
  return index;
}

/** Reads parts of a tar file while `work` runs. */
export async function* withSlices(
  file: string,
  work: (slice: (at: Indexed) => AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const handle = openSync(file, 'r');
  try {
    yield* work((at) => slice(handle, at));
  } finally {
    closeSync(handle);
  }
}

const CHUNK = 1024 * 1024;

async function* slice(handle: number, { entry, offset }: Indexed): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < entry.size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, entry.size - done));
    const count = readSync(handle, buffer, 0, buffer.byteLength, offset + done);
    if (count === 0) throw fail('LAYER_TREE_CHANGED', { what: 'a tar archive became shorter while it was read' });
    done += count;
    yield buffer.subarray(0, count);
  }
}

function linked({ path, linkName = '' }: TarEntry, index: ReadonlyMap<string, Indexed>): Indexed {
  const target = index.get(linkName);
  if (target === undefined || target.entry.type === 'directory') {
    throw fail('ARCHIVE_INVALID', {
      what: `the archive has a hard link to no file: ${path}`,
      why: `${linkName} does not come before it`,
    });
  }
  return { ...target, entry: { ...target.entry, path } };
}

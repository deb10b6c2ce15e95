import { chmodSync, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { TarEntry } from '../archive/tar-entry.js';
import { END_OF_TAR, encodeHeader, paddingOf } from '../archive/tar-header.js';
import { fail, systemCode } from '../values/error.js';
import type { LayerEntry } from './entry.js';

const BUFFER = 1024 * 1024;

/**
 * The tar of these entries, in their order, in new buffers of 1 MiB. A file that is gone or replaced, or whose size is not
 * the one seen before, throws `LAYER_TREE_CHANGED`.
 * Files are read synchronously, which for many small ones is several times faster than any other way; others may run
 * after each buffer.
 */
export async function* entryBytes(entries: Iterable<LayerEntry>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const buffer of buffers(entries)) {
    if (signal?.aborted) throw fail('INTERRUPTED', { what: 'interrupted while a layer was written' });
    yield buffer;
    await setImmediate();
  }
}

/** Where the next byte goes. A full buffer is given away and replaced. */
interface Page {
  buffer: Buffer;
  used: number;
}

function* buffers(entries: Iterable<LayerEntry>): Generator<Uint8Array> {
  const page: Page = { buffer: Buffer.allocUnsafe(BUFFER), used: 0 };
  for (const entry of entries) {
    if (entry.type !== 'file') yield* copy(page, encodeHeader(tarEntryOf(entry, 0)));
    else if (typeof entry.from === 'string') yield* copyFile(page, { ...entry, from: entry.from });
    else {
      yield* copy(page, encodeHeader(tarEntryOf(entry, entry.from.byteLength)));
      yield* copy(page, entry.from);
      yield* copy(page, paddingOf(entry.from.byteLength));
    }
  }
  yield* copy(page, END_OF_TAR);
  if (page.used > 0) yield page.buffer.subarray(0, page.used);
}

function tarEntryOf(entry: LayerEntry, size: number): TarEntry {
  const { path, type, mode, uid, gid } = entry;
  return { path, type, mode, uid, gid, size, ...(type === 'symlink' ? { linkName: entry.target } : {}) };
}

function* copy(page: Page, bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; ) {
    const part = bytes.subarray(from, from + BUFFER - page.used);
    page.buffer.set(part, page.used);
    page.used += part.byteLength;
    from += part.byteLength;
    if (page.used === BUFFER) yield turn(page);
  }
}

function turn(page: Page): Uint8Array {
  const full = page.buffer;
  page.buffer = Buffer.allocUnsafe(BUFFER);
  page.used = 0;
  return full;
}

type HostFile = LayerEntry & { readonly type: 'file'; readonly from: string };

function* copyFile(page: Page, entry: HostFile): Generator<Uint8Array> {
  const file = openFile(entry);
  try {
    const size = sizeOf(file, entry);
    yield* copy(page, encodeHeader(tarEntryOf(entry, size)));
    for (let left = size; left > 0; ) {
      const count = readSync(file, page.buffer, page.used, Math.min(left, BUFFER - page.used), null);
      if (count === 0) throw changed(entry, `it became shorter than its ${size} bytes`);
      left -= count;
      page.used += count;
      if (page.used === BUFFER) yield turn(page);
    }
    if (fstatSync(file).size !== size) throw changed(entry, `it was written to while it was read`);
    yield* copy(page, paddingOf(size));
  } finally {
    closeSync(file);
  }
}

/** Never through a link, and without waiting for the other end of a fifo. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function openFile(entry: HostFile): number {
  try {
    return openSync(entry.from, OPEN);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES') return openUnreadable(entry);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENXIO') {
      throw changed(entry, `${entry.from} is gone or was replaced (${code})`, error);
    }
    throw error;
  }
}

/** The owner may make a file readable that is not (R58). The layer has the mode seen before. */
function openUnreadable(entry: HostFile): number {
  chmodSync(entry.from, entry.mode | 0o400);
  return openSync(entry.from, OPEN);
}

function sizeOf(file: number, entry: HostFile): number {
  const stat = fstatSync(file);
  if (!stat.isFile()) throw changed(entry, `${entry.from} is no plain file any more`);
  if (entry.size !== undefined && stat.size !== entry.size) {
    throw changed(entry, `it had ${entry.size} bytes before and has ${stat.size} now`);
  }
  return stat.size;
}

function changed({ path }: LayerEntry, why: string, cause?: unknown) {
  return fail('LAYER_TREE_CHANGED', {
    what: `/${path} changed while its layer was written`,
    why,
    fix: 'a process of the build still writes to the tree: let the buildpack wait for it',
    details: { path },
    cause,
  });
}

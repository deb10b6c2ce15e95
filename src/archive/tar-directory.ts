import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { fail } from '../values/error.js';
import { decompress } from './decompress.js';
import { drainTar } from './tar-drain.js';
import type { TarEntry } from './tar-entry.js';
import type { TarSink } from './tar-parse.js';
import { TREE } from './tar-profile.js';

export interface UnpackOptions {
  /** How many bytes the uncompressed tar may have. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks the tar of a buildpack or a source, plain or compressed with gzip or zstd, into an empty directory. Nobody is made
 * an owner; times are not kept, and nobody but the owner may write. Throws `ARCHIVE_INVALID` for what the profile `TREE`
 * does not let in, and for more than `most`. What was unpacked before an error is left to the caller to remove.
 */
export async function unpackDirectory(
  bytes: AsyncIterable<Uint8Array>,
  directory: string,
  { most = Number.POSITIVE_INFINITY, signal }: UnpackOptions = {},
): Promise<void> {
  const sink = writing(directory, signal);
  try {
    await drainTar(decompress(bytes), { ...TREE, most }, sink);
  } finally {
    sink.close();
  }
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The reader lets no path in twice and none through a link: what has a name here was made here, and is what it was. */
function writing(root: string, signal: AbortSignal | undefined): TarSink & { close(): void } {
  const made = new Set(['']);
  let handle: number | undefined;
  const close = () => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  };
  return {
    begin({ entry }) {
      if (signal?.aborted) throw fail('INTERRUPTED', { what: 'interrupted while an archive was unpacked' });
      makeDirectories(root, entry.type === 'directory' ? entry.path : parentOf(entry.path), made);
      handle = make(root, entry);
    },
    data(bytes) {
      for (let at = 0; handle !== undefined && at < bytes.byteLength; ) at += writeSync(handle, bytes, at);
    },
    end: close,
    close,
  };
}

function make(root: string, { path, type, mode, linkName = '' }: TarEntry): number | undefined {
  const file = `${root}/${path}`;
  if (type === 'symlink') symlinkSync(linkName, file);
  else if (type === 'link') linkSync(`${root}/${linkName}`, file);
  else if (type === 'file') {
    const handle = openSync(file, NEW_FILE, 0o600);
    fchmodSync(handle, mode & 0o755);
    return handle;
  }
  return undefined;
}

function makeDirectories(root: string, path: string, made: Set<string>): void {
  if (made.has(path)) return;
  makeDirectories(root, parentOf(path), made);
  mkdirSync(`${root}/${path}`);
  chmodSync(`${root}/${path}`, 0o755);
  made.add(path);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

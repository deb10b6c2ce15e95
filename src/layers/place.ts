import {
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import type { ReadEntry, TarEntry } from '../archive/tar-entry.js';
import { fail, systemCode } from '../values/error.js';
import { claim, existing, fileFor, type Root, remove } from './root.js';

/**
 * Puts an entry of a layer in its place. What was there goes, unless both are directories: then only the attributes are
 * replaced. Devices and fifos are not made, but what they replace goes. Throws `ARCHIVE_INVALID`.
 */
export async function place(root: Root, read: ReadEntry): Promise<void> {
  const { entry } = read;
  const file = entry.path === '' ? root.target : fileFor(root, entry.path);
  if (entry.type === 'directory') placeDirectory(root, entry, file, timeOf(read));
  else if (entry.path === '') throw invalid(entry, 'it would replace the root directory');
  else if (entry.type === 'file') await placeFile(root, file, read);
  else if (entry.type === 'symlink') placeSymlink(root, entry, file, timeOf(read));
  else if (entry.type === 'link') placeLink(root, entry, file);
  else {
    remove(root, file);
    root.skipped.add(entry.path);
  }
  claim(root, file);
}

function placeDirectory(root: Root, { mode }: TarEntry, file: string, mtime: number): void {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isDirectory()) replacing(root, file, () => mkdirSync(file, 0o700));
  root.directories.set(file, { mode: mode & 0o1777, mtime });
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

async function placeFile(root: Root, file: string, read: ReadEntry): Promise<void> {
  const handle = replacing(root, file, () => openSync(file, NEW_FILE, 0o600));
  try {
    for await (const chunk of read.content) {
      for (let at = 0; at < chunk.byteLength; ) at += writeSync(handle, chunk, at);
    }
    fchmodSync(handle, read.entry.mode & 0o777);
    futimesSync(handle, timeOf(read), timeOf(read));
  } finally {
    closeSync(handle);
  }
}

function placeSymlink(root: Root, { linkName = '' }: TarEntry, file: string, mtime: number): void {
  replacing(root, file, () => symlinkSync(linkName, file));
  lutimesSync(file, mtime, mtime);
}

function placeLink(root: Root, entry: TarEntry, file: string): void {
  const { path, linkName = '' } = entry;
  if (root.skipped.has(linkName)) {
    remove(root, file);
    root.skipped.add(path);
    return;
  }
  const from = existing(root, linkName);
  if (from === undefined) throw invalid(entry, `it links to /${linkName}, which does not exist`);
  const isReplaced = `${from}/`.startsWith(`${file}/`);
  if (isReplaced || lstatSync(from).isDirectory())
    throw invalid(entry, `it links to /${linkName}, which is not another file`);
  replacing(root, file, () => linkSync(from, file));
}

/** Makes something, after removing what has its name. */
function replacing<T>(root: Root, file: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    remove(root, file);
    return make();
  }
}

/** A time that every file system can hold. */
function timeOf({ mtime }: ReadEntry): number {
  return Math.min(Math.max(mtime, 0), 2 ** 31 - 1);
}

function invalid({ path }: TarEntry, why: string) {
  return fail('ARCHIVE_INVALID', { what: `the layer has an entry that cannot be unpacked: /${path}`, why });
}

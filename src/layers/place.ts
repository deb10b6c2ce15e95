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
import type { TarEntry, TarHead } from '../archive/tar-entry.js';
import type { TarSink } from '../archive/tar-parse.js';
import { fail, systemCode } from '../values/error.js';
import { claim, emptyLower, existing, fileFor, type Root, remove, removeLower } from './root.js';
import { whiteoutOf } from './whiteout.js';

/** Takes the entries of a layer, and puts each in its place. */
export interface Placer extends TarSink {
  /** Must be called when no more will come, also after an error. */
  close(): void;
}

/**
 * Puts the entries of layers in their places. What was there goes, unless both are directories: then only the attributes are
 * replaced. Devices and fifos are not made, but what they replace goes. Deletions delete. Throws `ARCHIVE_INVALID`.
 */
export function placer(root: Root): Placer {
  let handle: number | undefined;
  let current: TarHead | undefined;
  const close = () => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  };
  return {
    begin(head) {
      current = head;
      handle = applied(root, head.entry) ? undefined : place(root, head);
    },
    data(bytes) {
      if (handle === undefined) return;
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(handle, bytes, at);
    },
    end() {
      if (handle === undefined || current === undefined) return;
      fchmodSync(handle, current.entry.mode & 0o777);
      futimesSync(handle, timeOf(current), timeOf(current));
      close();
    },
    close,
  };
}

/** True for an entry that says something of the lower layers, and is done with. */
function applied(root: Root, entry: TarEntry): boolean {
  const whiteout = whiteoutOf(entry);
  if (whiteout?.type === 'remove') removeLower(root, whiteout.path);
  else if (whiteout?.type === 'empty') emptyLower(root, whiteout.path);
  return whiteout !== undefined;
}

/** Makes what an entry is; of a file, the handle to which its bytes are written. */
function place(root: Root, head: TarHead): number | undefined {
  const { entry } = head;
  const file = entry.path === '' ? root.target : fileFor(root, entry.path);
  let handle: number | undefined;
  if (entry.type === 'directory') placeDirectory(root, entry, file, timeOf(head));
  else if (entry.type === 'file') handle = replacing(root, file, () => openSync(file, NEW_FILE, 0o600));
  else if (entry.type === 'symlink') placeSymlink(root, entry, file, timeOf(head));
  else if (entry.type === 'link') placeLink(root, entry, file);
  else {
    remove(root, file);
    root.skipped.add(entry.path);
  }
  claim(root, file);
  return handle;
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function placeDirectory(root: Root, { mode }: TarEntry, file: string, mtime: number): void {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isDirectory()) replacing(root, file, () => mkdirSync(file, 0o700));
  root.directories.set(file, { mode: mode & 0o1777, mtime });
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
function timeOf({ mtime }: TarHead): number {
  return Math.min(Math.max(mtime, 0), 2 ** 31 - 1);
}

function invalid({ path }: TarEntry, why: string) {
  return fail('ARCHIVE_INVALID', { what: `the layer has an entry that cannot be unpacked: /${path}`, why });
}

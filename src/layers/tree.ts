import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';
import { fail, systemCode } from '../values/error.js';

/** What a tree holds at one path. Sockets, fifos and devices are `special`: they belong in no layer. */
export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'symlink' | 'special';
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** A symlink's text. */
  readonly target?: string;
  /** The sha256 of a file's bytes, in hex, once somebody has read them. */
  readonly hash?: string | undefined;
  /** Inode, size and times: while these stay, so do the bytes. */
  readonly stamp: string;
}

/** A tree by path, relative to its root, in the order of a walk. The root itself is `''`. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/**
 * Reads a tree without following links and without reading files. Nothing may write to it meanwhile. Throws
 * `LAYER_FILE_REFUSED` for a name that is not UTF-8.
 */
export function readTree(root: string): Tree {
  const tree = new Map<string, TreeEntry>();
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const absolute = join(root, path);
    const entry = entryAt(root, path);
    tree.set(path, entry);
    if (entry.type !== 'directory') continue;
    for (const name of readdirSync(absolute)) pending.push(path === '' ? name : `${path}/${name}`);
  }
  return tree;
}

const CHUNK = 1 << 20;
const buffer = Buffer.allocUnsafe(CHUNK);

/** The sha256 of a file's bytes, in hex. */
export function hashFile(path: string): string {
  const hash = createHash('sha256');
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let read = readSync(file, buffer, 0, CHUNK, null); read > 0; read = readSync(file, buffer, 0, CHUNK, null)) {
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function entryAt(root: string, relative: string): TreeEntry {
  const path = join(root, relative);
  const stat = lstat(path, relative);
  const mode = stat.isSymbolicLink() ? 0o777 : readableMode(path, Number(stat.mode) & 0o7777, stat.isDirectory());
  const stamp = `${stat.ino}:${stat.size}:${stat.ctimeNs}:${stat.mtimeNs}`;
  if (stat.isFile()) return { type: 'file', mode, size: Number(stat.size), stamp };
  if (stat.isDirectory()) return { type: 'directory', mode, size: 0, stamp: '' };
  if (stat.isSymbolicLink()) return { type: 'symlink', mode, size: 0, target: readlinkSync(path), stamp };
  return { type: 'special', mode, size: 0, stamp };
}

/**
 * What a build closed to its own user is opened for reading (R58), and is so in the image: the same for root, who could read
 * it anyway, as for anyone else.
 */
function readableMode(path: string, mode: number, isDirectory: boolean): number {
  const readable = mode | (isDirectory ? 0o500 : 0o400);
  if (readable !== mode) chmodSync(path, readable);
  return readable;
}

/** A name that is not UTF-8 comes out of readdir changed, so that nothing is found under it. */
function lstat(path: string, relative: string): BigIntStats {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || !path.includes('\ufffd')) throw error;
    throw fail('LAYER_FILE_REFUSED', {
      what: `${JSON.stringify(relative)} in the app has a name that is not UTF-8`,
      why: 'names in a layer are UTF-8, so that every reader sees the same ones',
      fix: 'rename the file',
    });
  }
}

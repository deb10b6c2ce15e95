import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { compareNames } from '../archive/tar-write.js';
import { isSettled, stampOf } from '../system/stamp.js';
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
  /** While it stays, so do the bytes. Absent where that cannot be told. */
  readonly stamp?: string | undefined;
}

/** A tree by path, relative to its root, in the order of a walk. The root itself is `''`. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/**
 * Reads a tree without following links and without reading files. Nothing may write to it meanwhile. The order is that of
 * `compareNames` over whole paths. With a clock of its file system, files get stamps. Throws `LAYER_FILE_REFUSED` for a name
 * that is not UTF-8.
 */
export function readTree(root: string, clock?: () => bigint): Tree {
  const tree = new Map<string, TreeEntry>();
  const begun = clock?.() ?? 0n;
  const young: (readonly [string, BigIntStats])[] = [];
  // From the last to the first: a directory itself, or with a slash at its end what it holds.
  const pending = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at === '' || !at.endsWith('/')) {
      // A slash at the end would follow a root that is a link.
      const path = at === '' ? root : `${root}/${at}`;
      const stat = lstat(path, at);
      const entry = entryOf(path, stat, begun);
      tree.set(at, entry);
      if (entry.type === 'file' && entry.stamp === undefined) young.push([at, stat]);
      if (at !== '' || entry.type !== 'directory') continue;
    }
    pushSorted(pending, at, readdirSync(`${root}/${at}`, { withFileTypes: true }));
  }
  if (clock !== undefined) stampYoung(tree, young, clock());
  return tree;
}

/** What is in a directory stands after names such as `a-b` and `a.b`, which come before `a/`. */
function pushSorted(pending: string[], directory: string, entries: readonly Dirent[]): void {
  const keys: string[] = [];
  for (const entry of entries) {
    const path = directory + entry.name;
    keys.push(path);
    if (entry.isDirectory()) keys.push(`${path}/`);
  }
  for (const key of keys.sort((a, b) => compareNames(b, a))) pending.push(key);
}

/**
 * Files that were changed shortly before the tree was read. The clock is read again: who writes to one from now on changes
 * its times, unless they are of this very tick.
 */
function stampYoung(
  tree: Map<string, TreeEntry>,
  young: readonly (readonly [string, BigIntStats])[],
  clock: bigint,
): void {
  for (const [path, stat] of young) {
    const entry = tree.get(path);
    if (entry !== undefined && isSettled(stat, clock)) tree.set(path, { ...entry, stamp: stampOf(stat) });
  }
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

function entryOf(path: string, stat: BigIntStats, clock: bigint): TreeEntry {
  if (stat.isSymbolicLink()) return { type: 'symlink', mode: 0o777, size: 0, target: readlinkSync(path) };
  const mode = readableMode(path, Number(stat.mode) & 0o7777, stat.isDirectory());
  if (stat.isFile()) {
    const stamp = isSettled(stat, clock) ? stampOf(stat) : undefined;
    return { type: 'file', mode, size: Number(stat.size), stamp };
  }
  return { type: stat.isDirectory() ? 'directory' : 'special', mode, size: 0 };
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

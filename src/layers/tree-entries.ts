import type { Listener } from '../values/events.js';
import type { LayerEntry } from './entry.js';
import type { TreeEntry } from './tree.js';

/** Where a tree of the host goes in an image. */
export interface TreePlace {
  /** The tree's root on the host. */
  readonly root: string;
  /** The same directory in the image: `app`. */
  readonly at: string;
  /** The owner of everything in it, in the image. */
  readonly uid: number;
  readonly gid: number;
  /** The sha256 of a file's bytes, in hex, where somebody has read them. */
  readonly hashOf?: ((path: string) => string | undefined) | undefined;
}

/**
 * The entries of a layer for a tree or a part of it. Hard links become files of their own (R23). Sockets, fifos and devices
 * are left out (R94), and a directory's setuid and setgid bits are dropped.
 */
export function treeEntries(tree: Iterable<readonly [string, TreeEntry]>, place: TreePlace): LayerEntry[] {
  const entries: LayerEntry[] = [];
  for (const [path, entry] of tree) {
    const converted = convert(path, entry, place);
    if (converted !== undefined) entries.push(converted);
  }
  return entries;
}

/** Tells what of a tree is left out or changed in the image. */
export function tellOfChanges(tree: Iterable<readonly [string, TreeEntry]>, at: string, on: Listener): void {
  for (const [inTree, entry] of tree) {
    const path = pathIn(at, inTree);
    if (entry.type === 'special') {
      const message = `/${path} is a socket, fifo or device: left out of the image`;
      on({ type: 'notice', code: 'LAYER_FILE_SKIPPED', message });
    } else if (entry.type === 'directory' && (entry.mode & 0o6000) !== 0)
      on({ type: 'notice', code: 'LAYER_SETGID_DROPPED', message: `/${path} lost its setgid bit in the image` });
  }
}

function convert(inTree: string, entry: TreeEntry, { root, at, uid, gid, hashOf }: TreePlace): LayerEntry | undefined {
  const { type, mode, size } = entry;
  const path = pathIn(at, inTree);
  if (type === 'file') return { path, mode, uid, gid, type, from: `${root}/${inTree}`, size, hash: hashOf?.(inTree) };
  if (type === 'symlink') return { path, mode, uid, gid, type, target: entry.target ?? '' };
  return type === 'directory' ? { path, mode: mode & 0o1777, uid, gid, type } : undefined;
}

function pathIn(at: string, inTree: string): string {
  return at === '' || inTree === '' ? at + inTree : `${at}/${inTree}`;
}

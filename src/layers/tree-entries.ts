import { join } from 'node:path';
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
  /** Hears of what is left out or changed. */
  readonly on?: Listener | undefined;
}

/**
 * The entries of a layer for a tree or a part of it. Hard links become files of their own (R23). Sockets, fifos and devices
 * are left out (R94), and a directory's setuid and setgid bits are dropped, each with a notice.
 */
export function treeEntries(tree: Iterable<readonly [string, TreeEntry]>, place: TreePlace): LayerEntry[] {
  const entries: LayerEntry[] = [];
  for (const [path, entry] of tree) {
    const converted = convert(path, entry, place);
    if (converted !== undefined) entries.push(converted);
  }
  return entries;
}

function convert(inTree: string, entry: TreeEntry, { root, at, uid, gid, on }: TreePlace): LayerEntry | undefined {
  const path = [at, inTree].filter((part) => part !== '').join('/');
  const owned = { path, mode: entry.mode, uid, gid };
  if (entry.type === 'file')
    return { ...owned, type: 'file', from: join(root, inTree), size: entry.size, hash: entry.hash };
  if (entry.type === 'symlink') return { ...owned, type: 'symlink', target: entry.target ?? '' };
  if (entry.type === 'special') {
    on?.({
      type: 'notice',
      code: 'LAYER_FILE_SKIPPED',
      message: `/${path} is a socket, fifo or device: left out of the image`,
    });
    return undefined;
  }
  if ((entry.mode & 0o6000) !== 0) {
    on?.({ type: 'notice', code: 'LAYER_SETGID_DROPPED', message: `/${path} lost its setgid bit in the image` });
  }
  return { ...owned, mode: entry.mode & 0o1777, type: 'directory' };
}

import { hashFile, type Tree, type TreeEntry } from './tree.js';

/** Who wrote each path of a tree: step 0 is the source, step n the n-th buildpack. */
export type Writers = ReadonlyMap<string, Written>;

export interface Written {
  readonly step: number;
  readonly entry: TreeEntry;
  /** The sha256 of a file's bytes, where a later step may have to be compared with it. */
  readonly hash?: string;
}

/** A source's tree, before any buildpack has seen it. `hashes` are of its files, as far as they are known. */
export function writtenBySource(root: string, tree: Tree, hashes: ReadonlyMap<string, string>): Writers {
  const writers = new Map<string, Written>();
  for (const [path, entry] of tree) {
    const isFile = entry.type === 'file';
    writers.set(
      path,
      isFile ? { step: 0, entry, hash: hashes.get(path) ?? hashFile(`${root}/${path}`) } : { step: 0, entry },
    );
  }
  return writers;
}

/**
 * Attributes a tree after a step: a path keeps its writer if its type, mode, link target and bytes are as before, otherwise
 * this step wrote it. Times never decide; an unchanged stamp only spares a second look at the bytes.
 *
 * `last` says that no step follows, so that the bytes of new files need not be known.
 */
export function attribute(before: Writers, root: string, tree: Tree, step: number, last: boolean): Writers {
  const after = new Map<string, Written>();
  for (const [path, entry] of tree) after.set(path, writerOf(before.get(path), entry, `${root}/${path}`, step, last));
  return after;
}

function writerOf(before: Written | undefined, entry: TreeEntry, file: string, step: number, last: boolean): Written {
  if (entry.type !== 'file')
    return before !== undefined && sameShape(before.entry, entry) ? { ...before, entry } : { step, entry };
  if (before !== undefined && sameShape(before.entry, entry)) {
    if (entry.stamp !== undefined && before.entry.stamp === entry.stamp) return before;
    const hash = hashFile(file);
    return hash === before.hash ? { ...before, entry } : { step, entry, hash };
  }
  return last ? { step, entry } : { step, entry, hash: hashFile(file) };
}

function sameShape(a: TreeEntry, b: TreeEntry): boolean {
  return a.type === b.type && a.mode === b.mode && a.size === b.size && a.target === b.target;
}

import type { TarEntry } from '../archive/tar-entry.js';
import { refused } from '../archive/tar-fault.js';

/** What an entry says about the layers below it (image-spec, layer.md, Whiteouts). */
export type Whiteout =
  /** The path is not there. */
  | { readonly type: 'remove'; readonly path: string }
  /** Nothing of the lower layers is in this directory. */
  | { readonly type: 'empty'; readonly path: string }
  /** Left by a tool for itself; means nothing. */
  | { readonly type: 'ignore' };

/** The meaning of an entry whose name begins with `.wh.`; undefined for all others. Throws `ARCHIVE_INVALID` for nonsense. */
export function whiteoutOf({ path, type, size }: TarEntry): Whiteout | undefined {
  if (!path.includes('.wh.')) return undefined;
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  if (name !== '.wh..wh..opq' && [...parts, name].some((part) => part.startsWith('.wh..wh.')))
    return { type: 'ignore' };
  if (parts.some((part) => part.startsWith('.wh.'))) throw invalid(path, 'a deletion cannot hold other entries');
  if (!name.startsWith('.wh.')) return undefined;
  if (type !== 'file') throw invalid(path, `a deletion is an empty file, not a ${type}`);
  if (size !== 0) throw invalid(path, `a deletion is an empty file, not one of ${size} bytes`);
  const directory = parts.join('/');
  if (name === '.wh..wh..opq') return { type: 'empty', path: directory };
  const removed = name.slice('.wh.'.length);
  if (removed === '' || removed === '.' || removed === '..') throw invalid(path, 'it deletes nothing that has a name');
  return { type: 'remove', path: directory === '' ? removed : `${directory}/${removed}` };
}

function invalid(path: string, why: string) {
  return refused('whiteout', why, path);
}

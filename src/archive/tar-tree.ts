import type { TarEntry } from './tar-entry.js';
import { refused } from './tar-fault.js';

/** Names that are held in memory, in characters: what a million short names have. */
const MOST_NAMES = 64 * 1024 * 1024;

/**
 * What an archive holds so far, where each path may be there only once, nothing may lead through a link, and no link may
 * lead out: whoever unpacks that in any order or fashion comes to the same tree, and writes nothing outside. The function
 * throws `ARCHIVE_INVALID` for the first entry that is against it.
 */
export function treeRules(): (entry: TarEntry) => void {
  const kinds = new Map<string, 'implied' | TarEntry['type']>();
  let names = 0;
  const set = (path: string, kind: 'implied' | TarEntry['type']) => {
    if (!kinds.has(path)) names += path.length;
    if (names > MOST_NAMES) throw refused('bomb', `its names have more than ${MOST_NAMES} characters`);
    kinds.set(path, kind);
  };
  return (entry) => {
    const { path, type } = entry;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const above = path.slice(0, slash);
      const kind = kinds.get(above);
      if (kind === 'implied' || kind === 'directory') break;
      if (kind === 'symlink') throw refused('through-link', `it lies behind the link ${above}`, path);
      if (kind !== undefined) throw refused('duplicate', `it lies in ${above}, which is a ${kind}`, path);
      set(above, 'implied');
    }
    const before = kinds.get(path);
    if (before !== undefined && !(before === 'implied' && type === 'directory'))
      throw refused('duplicate', before === 'implied' ? 'it is a directory already' : 'the path is there twice', path);
    if (type === 'symlink') requireInside(entry);
    if (type === 'link') requireFileBefore(entry, kinds.get(entry.linkName ?? ''));
    set(path, type === 'link' ? 'file' : type);
  };
}

/** Going up is for the beginning of a target: behind a name that is a link itself it could lead anywhere. */
function requireInside({ path, linkName = '' }: TarEntry): void {
  if (linkName.startsWith('/')) throw refused('traversal', `it is a link to ${linkName}, which leads out`, path);
  const parts = linkName.split('/').filter((part) => part !== '' && part !== '.');
  const ups = parts.filter((part) => part === '..').length;
  if (parts.lastIndexOf('..') >= ups) {
    throw refused('link-target', `it is a link to ${linkName}, which goes up behind a name`, path);
  }
  if (ups >= path.split('/').length) throw refused('traversal', `it is a link to ${linkName}, which leads out`, path);
}

function requireFileBefore({ path, linkName }: TarEntry, kind: string | undefined): void {
  if (kind === 'file') return;
  if (kind === undefined) throw refused('link-order', `it links to ${linkName}, which does not come before it`, path);
  throw refused('link-target', `it links to ${linkName}, which is no file but a ${kind}`, path);
}

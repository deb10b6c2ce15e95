import { createHash } from 'node:crypto';
import type { LayerEntry } from './entry.js';

/** How entries become a tar: to be raised when that changes, as what is kept was made in another way. */
const TAR_FORMAT = 'pb-tar/1\n';

/** Hashed at once: each call costs. */
const BATCH = 1 << 16;

/**
 * Equal for entries that make the same tar, and different for all others: a digest of all that the tar has. Undefined where
 * the bytes of a file are not known by their hash; then only the tar itself can tell. Entries are in the order of the tar.
 */
export function contentKey(entries: readonly LayerEntry[]): string | undefined {
  const hash = createHash('sha256').update(TAR_FORMAT);
  let lines = '';
  for (const entry of entries) {
    const content = contentOf(entry);
    if (content === undefined) return undefined;
    const { path, type, mode, uid, gid } = entry;
    lines += `${JSON.stringify([path, type, mode, uid, gid, content])}\n`;
    if (lines.length < BATCH) continue;
    hash.update(lines);
    lines = '';
  }
  return hash.update(lines).digest('hex');
}

function contentOf(entry: LayerEntry): string | undefined {
  if (entry.type === 'directory') return '';
  if (entry.type === 'symlink') return entry.target;
  return typeof entry.from === 'string' ? entry.hash : createHash('sha256').update(entry.from).digest('hex');
}

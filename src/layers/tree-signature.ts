import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { systemCode } from '../values/error.js';

/**
 * What a tree looks like without a look into its files: names, modes, sizes, and when each file was written, in whole seconds,
 * as archives keep them. What lies in a directory that is closed to us is left out. Throws what the system says when there is
 * no tree.
 */
export function treeSignature(root: string): string {
  const hash = createHash('sha256').update(`${lstatSync(root).mode}\n`);
  const pending = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const lines: string[] = [];
    for (const entry of entriesOf(`${root}${at}`)) {
      const path = `${at}/${entry.name}`;
      const { mode, size, mtimeMs } = lstatSync(`${root}${path}`);
      if (entry.isDirectory()) pending.push(path);
      // The time of a directory tells only what its list of names tells better.
      lines.push(
        entry.isDirectory() ? `${path}\0${mode}\n` : `${path}\0${mode} ${size} ${Math.floor(mtimeMs / 1000)}\n`,
      );
    }
    hash.update(lines.join(''));
  }
  return hash.digest('hex');
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (systemCode(error) === 'EACCES') return [];
    throw error;
  }
}

import { lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { walkPath } from './walk-path.js';

/** Looks paths of an image up in its unpacked root, following links as the image would and never out of it. */
export interface Inside {
  /**
   * The host's name of a directory of the image. What is missing is made if `make` is given, which is told of each new
   * directory; else the answer is undefined. Throws as `walkPath` does.
   */
  directory(path: string, make?: (file: string) => void): string | undefined;
  /** Must be called after a directory or a link was removed. */
  forget(): void;
}

/** Remembers the directories it found. Nobody else may change the root meanwhile. */
export function inside(root: string): Inside {
  const known = new Map<string, string>();
  return {
    directory(path, make) {
      const before = known.get(path);
      if (before !== undefined) return before;
      const found = walkPath({ look: (at) => look(`${root}/${at}`), make: make && maker(root, make) }, path);
      if (found === undefined) return undefined;
      const file = found === '' ? root : `${root}/${found}`;
      known.set(path, file);
      return file;
    },
    forget: () => known.clear(),
  };
}

function look(file: string): { readonly type: string; readonly target?: string } | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return { type: 'symlink', target: readlinkSync(file) };
  return { type: stat.isDirectory() ? 'directory' : 'file' };
}

function maker(root: string, told: (file: string) => void): (path: string) => void {
  return (path) => {
    mkdirSync(`${root}/${path}`, 0o755);
    told(`${root}/${path}`);
  };
}

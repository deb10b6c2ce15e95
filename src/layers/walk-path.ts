import { fail } from '../values/error.js';

/** What a path is looked up in: an unpacked root, or a list of one. Paths are those of the image, without links in them. */
export interface PathView {
  /** What is there, a link not followed. */
  look(path: string): { readonly type: string; readonly target?: string | undefined } | undefined;
  /** Makes a missing directory. Without it, what leads through nothing or through a file is not there. */
  readonly make?: ((path: string) => void) | undefined;
  /** True to find anything; else only directories are found. */
  readonly files?: boolean | undefined;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * The path, free of links, of what a path leads to. Links are followed, also a last one, as if the view's root were that of
 * the system: never out of it. Undefined for what is not there. Throws `ARCHIVE_INVALID` for links that go in circles, and
 * where directories are made for a path that leads through a file.
 */
export function walkPath(view: PathView, path: string): string | undefined {
  const todo = path.split('/').reverse();
  let done: string[] = [];
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const at = [...done, part].join('/');
    const found = view.look(at);
    if (found?.type === 'symlink') {
      links += 1;
      if (links > MAX_LINKS) throw invalid(path, 'its links go in circles');
      const target = found.target ?? '';
      if (target.startsWith('/')) done = [];
      todo.push(...target.split('/').reverse());
      continue;
    }
    if (found === undefined && view.make === undefined) return undefined;
    if (found !== undefined && found.type !== 'directory') {
      if (view.make !== undefined) throw invalid(path, `/${at} is a file`);
      return view.files && todo.length === 0 ? at : undefined;
    }
    if (found === undefined) view.make?.(at);
    done.push(part);
  }
  return done.join('/');
}

function invalid(path: string, why: string) {
  return fail('ARCHIVE_INVALID', { what: `the layer has an entry that cannot be unpacked: in /${path}`, why });
}

import { lstat, readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Mount } from '../sandbox/sandbox.js';

/** What a process in the sandbox sees: a root and the mounts over it. */
export interface View {
  readonly root: string;
  readonly mounts: readonly Mount[];
}

/**
 * The host path of what a process inside would find at `inside`, with links followed as they would be there and never
 * out of the view. Undefined when there is nothing.
 */
export async function resolveInside(view: View, inside: string): Promise<string | undefined> {
  let rest = segmentsOf(inside);
  let done: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [name, ...after] = rest as [string, ...string[]];
    if (name === '..') {
      done = done.slice(0, -1);
      rest = after;
      continue;
    }
    const here = [...done, name];
    const host = hostOf(view, `/${here.join('/')}`);
    const stat = await lstat(host).catch(() => undefined);
    if (stat === undefined) return undefined;
    if (stat.isSymbolicLink()) {
      links += 1;
      if (links > 40) return undefined;
      const target = await readlink(host);
      if (target.startsWith('/')) done = [];
      rest = [...segmentsOf(target), ...after];
    } else {
      done = here;
      rest = after;
    }
  }
  return hostOf(view, `/${done.join('/')}`);
}

function hostOf(view: View, inside: string): string {
  const over = view.mounts.filter(({ to }) => inside === to || inside.startsWith(`${to}/`));
  const mount = over.reduce<Mount | undefined>(
    (best, each) => (best && best.to.length > each.to.length ? best : each),
    undefined,
  );
  return mount === undefined ? posix.join(view.root, inside) : posix.join(mount.from, inside.slice(mount.to.length));
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.');
}

import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ownIdentity, type ProcessIdentity, stateOf } from './identity.js';
import { removeTree } from './remove.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Runs `work` with a fresh private directory (mode 0700), which is removed afterwards with all that is in it, whatever
 * happened. Its name tells which process it belongs to, so that `sweepStale` can remove what a killed process left.
 * `parent` is made when absent; without it, it is the system's directory for temporary files.
 */
export async function withTempDir<T>(
  prefix: string,
  parent: string | undefined,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await makeTempDir(prefix, parent ?? tmpdir());
  const result = await work(dir).catch(async (error: unknown) => {
    // What went wrong is not to be hidden by what goes wrong after it; the next command sweeps.
    await removeTree(dir).catch(() => undefined);
    throw error;
  });
  await removeTree(dir);
  return result;
}

/**
 * Removes temporary directories and files of dead processes from `parent` and returns their names. What
 * belongs to a live process is never touched; nor is, for a day, what was made in another container or before the machine's
 * last start, where nobody can say.
 */
export async function sweepStale(parent: string = tmpdir()): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const owner = ownerOf(name);
    if (owner === undefined || !(await isStale(parent, name, owner))) continue;
    // Another user's directory in a shared parent is for that user to sweep.
    const gone = await removeTree(join(parent, name)).then(
      () => true,
      () => false,
    );
    if (gone) removed.push(name);
  }
  return removed;
}

/** A new name beside `path`, on its file system, for what is renamed to `path` when it is complete. Nothing is made. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(9).toString('hex')}`);
}

/** A new name for what this process makes for a while: `sweepStale` knows by it whose it is. */
export async function ownedName(prefix: string): Promise<string> {
  const { pid, started, realm } = await ownIdentity();
  return `${prefix}-p${pid}.${started}.${realm}-${randomBytes(9).toString('hex')}`;
}

/** Makes such a directory for longer than one call. Whoever makes it removes it. */
export async function makeTempDir(prefix: string, parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  const dir = join(parent, await ownedName(prefix));
  await mkdir(dir, { mode: 0o700 });
  return dir;
}

/** Whose temporary directory a name is of; undefined for other names. */
export function ownerOf(name: string): ProcessIdentity | undefined {
  const match = /-p(\d+)\.(\d+)\.([0-9a-f]+\.\d+)-[A-Za-z0-9]{6,18}$/.exec(name);
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  return { pid: Number(match[1]), started: match[2], realm: match[3] };
}

async function isStale(parent: string, name: string, owner: ProcessIdentity): Promise<boolean> {
  const state = await stateOf(owner);
  if (state !== 'elsewhere') return state === 'dead';
  const made = await lstat(join(parent, name)).catch(() => undefined);
  return made !== undefined && (await timeThere(parent)) - made.mtimeMs > DAY_MS;
}

/** The present time, in milliseconds, by the clock of the file system, which for a shared one is not ours. */
export async function timeThere(parent: string): Promise<number> {
  const probe = await makeTempDir('clock', parent);
  try {
    return (await lstat(probe)).mtimeMs;
  } finally {
    await rmdir(probe);
  }
}

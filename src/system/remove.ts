import { randomBytes } from 'node:crypto';
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../values/error.js';

/** The kernel takes no longer path (PATH_MAX is 4096); what lies deeper is first moved up. */
const LONGEST_PATH = 3000;

/**
 * Removes a file or a whole tree, whatever its modes, as root or as its owner. Links are removed, never followed. Does
 * nothing when there is nothing. Nobody may still be writing to the tree.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Removes what is in the place of a file that is to be renamed there, if it is a directory: anything else is replaced by that. */
export async function makeWay(file: string): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isDirectory()) await removeTree(file);
}

/** Makes every directory of the tree writable for us, and none deeper than a path can say. */
async function openUp(root: string): Promise<void> {
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (!(await lstat(path)).isDirectory()) continue;
    await chmod(path, 0o700);
    const inner = Buffer.byteLength(path) > LONGEST_PATH ? await moveUp(root, path) : path;
    for (const entry of await readdir(inner, { withFileTypes: true })) {
      if (entry.isDirectory()) pending.push(join(inner, entry.name));
    }
  }
}

async function moveUp(root: string, path: string): Promise<string> {
  const target = join(root, `.moved-${randomBytes(9).toString('hex')}`);
  await rename(path, target);
  return target;
}

import { lstat, stat } from 'node:fs/promises';
import { systemCode } from '../values/error.js';

/** True when a path leads to something. Throws what the system says when it cannot tell, such as `EACCES`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** True when anything has this name, also a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** True for a directory; a link to one is none. */
export async function isDirectory(path: string): Promise<boolean> {
  return await lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

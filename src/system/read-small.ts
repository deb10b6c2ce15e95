import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * The text of a plain file that we may have written; undefined for whatever else is there, or nothing. A pipe in its place is
 * not waited for, a link not followed.
 */
export async function readSmall(path: string): Promise<string | undefined> {
  return (await readPlain(path))?.toString();
}

/** The same as bytes. */
export async function readPlain(path: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return (await handle.stat()).isFile() ? await handle.readFile() : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

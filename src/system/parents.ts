import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from './staged.js';

/** Makes the directories above an absolute path for `work`. Those that were made go again, if empty, when it fails. */
export async function withParents<T>(path: string, work: () => Promise<T>): Promise<T> {
  const top = await makeDirectory(dirname(path));
  try {
    return await work();
  } catch (error) {
    if (top !== undefined) await removeEmpty(dirname(path), top);
    throw error;
  }
}

/** From the lowest up; the first that somebody uses ends it. */
async function removeEmpty(lowest: string, top: string): Promise<void> {
  for (let at = lowest; at.length >= top.length; at = dirname(at)) {
    const isGone = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

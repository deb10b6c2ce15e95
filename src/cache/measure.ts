import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The bytes of all files in a tree, and when anything in it last changed, in milliseconds. Links are not followed. */
export async function measureTree(root: string): Promise<{ readonly bytes: number; readonly changed: number }> {
  let [bytes, changed] = [0, 0];
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined) continue;
    changed = Math.max(changed, stat.ctimeMs);
    if (!stat.isDirectory()) bytes += stat.size;
    else for (const name of await readdir(path).catch(() => [])) pending.push(join(path, name));
  }
  return { bytes, changed };
}

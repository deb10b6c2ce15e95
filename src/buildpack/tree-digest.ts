import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, fromHex } from '../values/digest.js';

/**
 * The digest of a tree's names, types, executable bits, link targets and bytes (R9): the same for every copy of it,
 * whoever owns it and whenever it was made. Empty directories count.
 */
export async function treeDigest(root: string): Promise<Digest> {
  const hash = createHash('sha256').update('pack-build tree 1\n');
  const pending: string[] = [''];
  const entries: string[] = [];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of await readdir(join(root, path), { withFileTypes: true })) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      entries.push(inner);
      if (entry.isDirectory()) pending.push(inner);
    }
  }
  for (const path of entries.sort(byCodeUnits)) hash.update(`${await describe(join(root, path))} ${path}\0`);
  return fromHex(hash.digest('hex'));
}

async function describe(path: string): Promise<string> {
  const stat = await lstat(path);
  if (stat.isDirectory()) return 'd';
  if (stat.isSymbolicLink())
    return `l ${createHash('sha256')
      .update(await readlink(path))
      .digest('hex')}`;
  if (!stat.isFile()) return 's';
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return `${stat.mode & 0o100 ? 'x' : 'f'} ${hash.digest('hex')}`;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { fail } from '../values/error.js';
import { formatSize } from '../values/size.js';
import type { CopyTreeOptions } from './copy-tree.js';
import { quoted } from './notice.js';

/** How many of the largest entries an error names. */
const MOST = 5;

/**
 * Adds up the bytes of the files that a copy of this tree would have, before it is made (R32). Throws `SOURCE_TOO_LARGE`
 * with the largest files and directories at its top, and what the file system throws.
 */
export async function requireSourceSize(
  source: string,
  limit: number,
  options: Pick<CopyTreeOptions, 'leavesOut' | 'signal'>,
): Promise<void> {
  const sizes = new Map<string, number>();
  const pending: (readonly string[])[] = [[]];
  let count = 0;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of readdirSync(join(source, ...path), { withFileTypes: true })) {
      const inner = [...path, entry.name];
      if (options.leavesOut?.(inner, entry.isDirectory())) continue;
      const top = inner.length === 1 && !entry.isDirectory() ? entry.name : `${inner[0]}/`;
      if (entry.isDirectory()) pending.push(inner);
      else if (entry.isFile()) sizes.set(top, (sizes.get(top) ?? 0) + lstatSync(join(source, ...inner)).size);
      count += 1;
      if (count % 512 !== 0) continue;
      await breathe();
      options.signal?.throwIfAborted();
    }
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total > limit) throw tooLarge(source, total, limit, sizes);
}

function tooLarge(source: string, total: number, limit: number, sizes: ReadonlyMap<string, number>) {
  const largest = [...sizes].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, MOST);
  return fail('SOURCE_TOO_LARGE', {
    what: `the app in ${source} is larger than it may be`,
    why: [
      `its files have ${total} bytes (${formatSize(total)}), without .git and what .slugignore names; allowed are ${limit} (${formatSize(limit)})`,
      'the largest at its top:',
      ...largest.map(([name, size]) => `  ${formatSize(size).padStart(8)}  ${quoted(name)}`),
    ].join('\n'),
    fix: 'name what the build does not need in .slugignore, or allow more with --max-source',
    details: { bytes: total, limit, largest: largest.map(([name, size]) => ({ name, bytes: size })) },
  });
}

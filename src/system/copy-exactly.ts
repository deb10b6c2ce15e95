import { mkdir } from 'node:fs/promises';
import { fail } from '../values/error.js';
import { runProcess } from './process.js';
import { diskFull } from './staged.js';

/**
 * Copies what is in a directory into another, which is made if absent: modes, links, hard links and times stay as they are.
 * `cp -a` knows of hard links, sparse files and reflinks; nothing of ours would know more.
 * Throws `DISK_FULL`, and `STORE_FAILED` when anything cannot be copied; then a part is there.
 */
export async function copyExactly(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const { code, lastLines } = await runProcess({
    file: 'cp',
    args: ['-a', '--reflink=auto', `${from}/.`, to],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: '/',
  });
  if (code === 0) return;
  const why = lastLines.join('\n');
  if (why.includes('No space left')) throw await diskFull(to, undefined);
  if (why.includes('Disk quota exceeded')) throw await diskFull(to, { code: 'EDQUOT' });
  throw fail('STORE_FAILED', { what: `${from} could not be copied`, why });
}

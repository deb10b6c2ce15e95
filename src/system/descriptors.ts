import { readdir, readFile } from 'node:fs/promises';

const CLOSE_ON_EXEC = 0o2000000;

/**
 * This process's own descriptors above 2 that a program started from it would inherit: those it got from its own parent.
 * Node marks all that it opens itself as not to be inherited. Empty where there is no /proc.
 */
export async function inheritableDescriptors(): Promise<readonly number[]> {
  const names = await readdir('/proc/self/fd').catch(() => []);
  const checked = await Promise.all(names.map(Number).map(async (fd) => ((await isInheritable(fd)) ? [fd] : [])));
  return checked.flat().sort((a, b) => a - b);
}

async function isInheritable(fd: number): Promise<boolean> {
  if (fd <= 2) return false;
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '');
  const flags = /^flags:\s*([0-7]+)/m.exec(info)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
}

import { type BigIntStats, closeSync, fstatSync, openSync, rmSync } from 'node:fs';
import { temporaryPath } from './tempdir.js';

/**
 * What tells a file from all that it was before: as long as it stays, so do the bytes, if it is settled. Whoever writes to a
 * file, gives it another time or puts another one in its place changes its ctime, which nobody can choose.
 */
export function stampOf({ dev, ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mode}:${mtimeNs}:${ctimeNs}`;
}

/**
 * True if any change from `clock` on shows in the stamp. The clock of a file system ticks every few milliseconds, or once a
 * second: a file that was written in the tick in which it was looked at may be written again and have the same times.
 */
export function isSettled({ mtimeNs, ctimeNs }: Pick<BigIntStats, 'mtimeNs' | 'ctimeNs'>, clock: bigint): boolean {
  return mtimeNs < clock && ctimeNs < clock;
}

/** What time it is by the clock of the file system that an existing directory is on, in nanoseconds. */
export function fileClock(directory: string): bigint {
  const path = temporaryPath(`${directory}/clock`);
  const file = openSync(path, 'wx', 0o600);
  try {
    return fstatSync(file, { bigint: true }).ctimeNs;
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

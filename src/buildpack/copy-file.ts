import { type BigIntStats, chmodSync, closeSync, constants, copyFileSync, fstatSync, openSync, rmSync } from 'node:fs';
import { stampOf } from '../system/stamp.js';
import { fail } from '../values/error.js';
import { quoted } from './notice.js';

/** Never through a link, and without waiting for the other end of a fifo. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const COPY = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

const ATTEMPTS = 3;

/**
 * Copies a file, sharing its blocks where the file system can. What it returns is what the file was before its first byte was
 * read and after its last: one that is written to meanwhile is copied anew, and after three times that is an error. Throws `SOURCE_INVALID`, and what the file system throws.
 */
export function copyFile(from: string, to: string, modeOf: (mode: number) => number): BigIntStats {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const copied = copyOnce(from, to, modeOf);
    if (copied !== undefined) return copied;
    rmSync(to);
  }
  throw changed(from, 'it is written to while it is copied');
}

/** Undefined if it was written to. By its descriptor, as another file may get its name at any moment. */
function copyOnce(from: string, to: string, modeOf: (mode: number) => number): BigIntStats | undefined {
  const file = openSync(from, OPEN);
  try {
    const before = fstatSync(file, { bigint: true });
    if (!before.isFile()) throw changed(from, 'it is no plain file any more');
    copyFileSync(`/proc/self/fd/${file}`, to, COPY);
    // The copy has the mode of the original, whatever the umask.
    const mode = Number(before.mode) & 0o7777;
    if (modeOf(mode) !== mode) chmodSync(to, modeOf(mode));
    return stampOf(fstatSync(file, { bigint: true })) === stampOf(before) ? before : undefined;
  } finally {
    closeSync(file);
  }
}

function changed(from: string, why: string) {
  return fail('SOURCE_INVALID', {
    what: `${quoted(from, 300)} cannot be copied`,
    why,
    fix: 'try again when nothing changes it meanwhile',
  });
}

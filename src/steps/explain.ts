import { dirname } from 'node:path';
import { checkWritable } from '../layout/check-target.js';
import { diskFull } from '../system/staged.js';
import { fail, isFailure, systemCode } from '../values/error.js';

/** Runs a verb, so that whatever goes wrong comes out as a `PackBuildError`: an abort, a full disk, a path that may not be used. */
export async function explained<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    throw await explanationOf(error, signal);
  }
}

async function explanationOf(error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  // Who aborted may say why; which program happened to run then tells nothing.
  if (signal?.aborted && isFailure(signal.reason, 'INTERRUPTED')) return signal.reason;
  if (isFailure(error, 'INTERRUPTED')) return error;
  if (signal?.aborted) return fail('INTERRUPTED', { what: 'interrupted', cause: error });
  if (isFailure(error)) return error;
  const code = systemCode(error);
  const { path, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path === undefined ? undefined : dirname(path), error);
  // Node says ENOENT of directories that it cannot make on a read-only file system.
  if (code === 'ENOENT' && syscall === 'mkdir' && path !== undefined) {
    const reason = await checkWritable(dirname(path)).catch((found: unknown) => found);
    if (isFailure(reason)) return reason;
  }
  if (code !== undefined && path !== undefined) {
    return fail('STORE_FAILED', {
      what: `${path} cannot be used`,
      why: (error as Error).message,
      fix: fixOf(code),
      cause: error,
    });
  }
  return error;
}

function fixOf(code: string): string | undefined {
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code))
    return 'give yourself the right to use it, or name another place: for the cache with --cache-dir or PACK_BUILD_CACHE_DIR';
  if (['EMFILE', 'ENFILE'].includes(code)) return 'allow more open files: ulimit -n 1024';
  if (code === 'EIO') return 'the disk or what connects it fails: look at what the kernel says of it (dmesg)';
  return undefined;
}

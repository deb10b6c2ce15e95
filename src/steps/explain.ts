import { fail, isFailure, systemCode } from '../values/error.js';

/** Runs a verb, so that whatever goes wrong comes out as a `PackBuildError`: an abort, a full disk, a path that may not be used. */
export async function explained<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    throw explanationOf(error, signal);
  }
}

function explanationOf(error: unknown, signal: AbortSignal | undefined): unknown {
  // Who aborted may say why; which program happened to run then tells nothing.
  if (signal?.aborted && isFailure(signal.reason, 'INTERRUPTED')) return signal.reason;
  if (isFailure(error, 'INTERRUPTED')) return error;
  if (signal?.aborted) return fail('INTERRUPTED', { what: 'interrupted', cause: error });
  if (isFailure(error)) return error;
  const code = systemCode(error);
  const path = (error as NodeJS.ErrnoException).path;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fail('DISK_FULL', {
      what: `there is no room left${path === undefined ? '' : ` to write ${path}`}`,
      why: code === 'EDQUOT' ? 'the disk quota is used up' : 'the file system is full',
      fix: 'free some space there, or name a directory on another file system with --cache-dir',
      cause: error,
    });
  }
  if (code !== undefined && path !== undefined) {
    return fail('STORE_FAILED', {
      what: `${path} cannot be used`,
      why: (error as Error).message,
      fix: ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)
        ? 'give yourself the right to use it, or name another place: for the cache with --cache-dir or PACK_BUILD_CACHE_DIR'
        : undefined,
      cause: error,
    });
  }
  return error;
}

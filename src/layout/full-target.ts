import { dirname } from 'node:path';
import { fail, isFailure, systemCode } from '../values/error.js';
import { formatPlace, type Place } from '../values/place.js';

/**
 * Runs what writes a place, whose absolute path is `path`. A disk that is full there is told of by the place: its temporary
 * files are gone when the user reads of them. Throws `DISK_FULL`, and what `work` throws.
 */
export async function orFull<T>(place: Place, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOf(path, fullDirectory(error))) throw error;
    const { why, details } = factsOf(error);
    throw fail('DISK_FULL', {
      what: `there is no room left to write ${formatPlace(place)}`,
      why,
      fix: 'name another place with --to, or free some space there',
      details: { ...details, directory: dirname(path) },
      cause: error,
    });
  }
}

/** What could not be written for want of room, if that is what went wrong. */
function fullDirectory(error: unknown): string | undefined {
  if (isFailure(error, 'DISK_FULL')) return String(error.details['directory']);
  const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
  return isFull ? (error as NodeJS.ErrnoException).path : undefined;
}

/** True for the target, what is in it, what stands beside it until it is whole, and where that is; not for a cache beside it. */
function isOf(path: string, full: string | undefined): boolean {
  if (full === undefined) return false;
  return [path, dirname(path)].includes(full) || full.startsWith(`${path}/`) || full.startsWith(`${path}.partial`);
}

function factsOf(error: unknown) {
  if (isFailure(error)) return { why: error.why, details: error.details };
  const quota = systemCode(error) === 'EDQUOT';
  return {
    why: quota ? 'the disk quota is used up' : 'the file system is full',
    details: { neededBytes: null, freeBytes: null },
  };
}

import { LOCK_FILE, type Lock, sameLock, writeLock } from '../settings/lock-file.js';
import { fail, systemCode } from '../values/error.js';
import type { Listener } from '../values/events.js';

export interface LockRequest {
  /** The app's directory. */
  readonly source: string;
  /** The lock as it was found there. */
  readonly lock: Lock;
  /** The lock may not change. */
  readonly frozen?: boolean | undefined;
}

/** Writes what this build resolved into the lock, unless it says so already. Entries that this build did not need stay. */
export async function keepLock(
  { source: directory, lock: before, frozen }: LockRequest,
  pins: Lock,
  on: Listener,
): Promise<void> {
  const after: Lock = {
    bases: { ...before.bases, ...pins.bases },
    buildpacks: { ...before.buildpacks, ...pins.buildpacks },
  };
  if (sameLock(before, after)) return;
  if (frozen)
    throw fail('LOCK_FROZEN', {
      what: `${LOCK_FILE} would change`,
      fix: 'build without --frozen and keep the new file',
    });
  try {
    await writeLock(directory, after);
    on({ type: 'info', message: `wrote ${LOCK_FILE}` });
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
    on({
      type: 'notice',
      code: 'LOCK_NOT_WRITTEN',
      message: `${LOCK_FILE} could not be written in ${directory}: the next build resolves its names anew`,
    });
  }
}

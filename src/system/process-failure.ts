import { fail, type PackBuildError } from '../values/error.js';
import { exists } from './exists.js';
import { diskFull } from './staged.js';
import { toolMissing } from './tools.js';

/** The error for a program that could not be started. Without its directory, a program looks as if it were missing itself. */
export async function startFailure(request: Started, failure: StartFailure): Promise<PackBuildError> {
  const found = request.cwd === undefined || (await exists(request.cwd).catch(() => false));
  if (failure.code === 'ENOENT' && found) return toolMissing(request.file, failure);
  return fail('TOOL_FAILED', {
    what: `${request.file} could not be started`,
    why: found ? failure.originalMessage : `the directory ${request.cwd} does not exist`,
    fix: TOO_MANY.includes(failure.code ?? '') ? 'allow more open files: ulimit -n 1024' : undefined,
    details: { program: request.file, reason: failure.code ?? null },
    cause: failure,
  });
}

/** The error for pipes that mkfifo did not make: it is missing, could not be started, or was refused. */
export async function pipesFailure(directory: string, failure: FifoFailure): Promise<unknown> {
  if (failure.exitCode === undefined) return startFailure({ file: 'mkfifo' }, failure);
  const why = failure.stderr ?? '';
  if (/No space left on device|Disk quota exceeded/.test(why))
    return diskFull(directory, { code: why.includes('quota') ? 'EDQUOT' : 'ENOSPC' });
  return fail('STORE_FAILED', {
    what: `no pipes can be made in ${directory}`,
    why,
    fix: 'name another directory for temporary files with TMPDIR',
    cause: failure,
  });
}

/** The error for a program that was ended because the whole work was. */
export function interrupted(request: Started): PackBuildError {
  return fail('INTERRUPTED', { what: `interrupted while ${request.file} ran`, details: { program: request.file } });
}

const TOO_MANY: readonly string[] = ['EMFILE', 'ENFILE'];

interface Started {
  readonly file: string;
  readonly cwd?: string | undefined;
}

/** What execa tells of it. */
export interface StartFailure {
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
}

interface FifoFailure extends StartFailure {
  /** Absent where it was not started. */
  readonly exitCode?: number | undefined;
  readonly stderr?: string;
}

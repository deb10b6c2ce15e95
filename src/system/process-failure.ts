import { fail, type PackBuildError } from '../values/error.js';
import { exists } from './exists.js';
import { toolMissing } from './tools.js';

/** The error for a program that could not be started. Without its directory, a program looks as if it were missing itself. */
export async function startFailure(request: Started, failure: StartFailure): Promise<PackBuildError> {
  const found = request.cwd === undefined || (await exists(request.cwd).catch(() => false));
  if (failure.code === 'ENOENT' && found) return toolMissing(request.file, failure);
  return fail('TOOL_FAILED', {
    what: `${request.file} could not be started`,
    why: found ? failure.originalMessage : `the directory ${request.cwd} does not exist`,
    details: { program: request.file, reason: failure.code ?? null },
    cause: failure,
  });
}

/** The error for a program that was ended because the whole work was. */
export function interrupted(request: Started): PackBuildError {
  return fail('INTERRUPTED', { what: `interrupted while ${request.file} ran`, details: { program: request.file } });
}

interface Started {
  readonly file: string;
  readonly cwd?: string | undefined;
}

/** What execa tells of it. */
export interface StartFailure {
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
}

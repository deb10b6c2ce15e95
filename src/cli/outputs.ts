import { fail, type PackBuildError, systemCode } from '../values/error.js';
import type { Output } from './listener.js';
import { styleFor } from './style.js';

/** stdout and stderr, which may be closed or full before the work is done. */
export interface Outputs extends Output {
  /** Aborts when nobody reads on, or when stdout can take no more. */
  readonly signal: AbortSignal;
  /** Waits until all is written. Throws `INTERRUPTED` for a closed pipe, `DISK_FULL` and `STORE_FAILED` for stdout. */
  readonly flush: () => Promise<void>;
  /** Why nothing more can be written. */
  readonly lost: () => PackBuildError | undefined;
}

/** The exit status of a program whose reader has gone, as shells have it: 128 and the number of SIGPIPE. */
export const CLOSED_PIPE_STATUS = 141;

/**
 * Opens the outputs of this process. A closed pipe ends both: whoever reads the one wants no more of the other. stderr on a
 * full disk loses what it was to say and ends nothing.
 */
export function openOutputs(): Outputs {
  const controller = new AbortController();
  const written = new Map<NodeJS.WriteStream, Promise<void>>();
  let lost: PackBuildError | undefined;
  const onError = (stream: NodeJS.WriteStream) => (error: unknown) => {
    if (lost !== undefined || !(error instanceof Error)) return;
    if (stream === process.stderr && systemCode(error) !== 'EPIPE') return;
    lost = lossOf(error);
    controller.abort(lost);
  };
  const open = (stream: NodeJS.WriteStream) => {
    stream.on('error', onError(stream));
    const isOpen = () => lost === undefined || (stream === process.stderr && lost.code !== 'INTERRUPTED');
    return {
      write: (chunk: string | Uint8Array) => {
        if (!isOpen()) return;
        const done = new Promise<void>((resolve) => {
          stream.write(chunk, (error) => {
            onError(stream)(error);
            resolve();
          });
        });
        written.set(stream, done);
      },
    };
  };
  return {
    stdout: open(process.stdout),
    stderr: open(process.stderr),
    style: styleFor(process.stderr, process.env),
    signal: controller.signal,
    lost: () => lost,
    flush: async () => {
      await Promise.all(written.values());
      if (lost !== undefined) throw lost;
    },
  };
}

function lossOf(error: Error): PackBuildError {
  const code = systemCode(error);
  if (code === 'EPIPE') return fail('INTERRUPTED', { what: 'nobody reads the output any more', cause: error });
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return fail(full ? 'DISK_FULL' : 'STORE_FAILED', {
    what: full ? 'there is no room left to write to stdout' : 'stdout cannot be written',
    why: error.message,
    fix: 'send stdout to a file or a program that takes it',
    cause: error,
  });
}

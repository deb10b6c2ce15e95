import { type ProcessRequest, runProcess } from '../system/process.js';
import { isFailure } from '../values/error.js';

/** What a probe works with: PATH and other variables, of which nothing reaches the programs that are tried. */
export interface ProbeOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** How long a probe may take. */
export const PROBE_MS = 10_000;

/** How a program that was tried did. */
export interface Attempt {
  readonly ok: boolean;
  readonly stdout: string;
  /** Its last words, or how it ended. Fit to be shown. */
  readonly said: string;
}

/** Runs a program that may fail in any way: that it cannot be started is an answer too. Throws `INTERRUPTED`. */
export async function attempt(
  request: Pick<ProcessRequest, 'file' | 'args' | 'descriptors' | 'signal'> & Partial<Pick<ProcessRequest, 'env'>>,
): Promise<Attempt> {
  try {
    const result = await runProcess({ env: {}, ...request, cwd: '/', timeoutMs: PROBE_MS, maxCapture: 16_384 });
    const end = result.timedOut
      ? `did not end in ${PROBE_MS / 1000} seconds`
      : `ended with ${result.code ?? result.killedBy}`;
    const said = result.lastLines.at(-1) ?? `${request.file} ${end}`;
    return { ok: result.code === 0, stdout: Buffer.from(result.stdout).toString(), said };
  } catch (error) {
    if (!isFailure(error) || error.code === 'INTERRUPTED') throw error;
    return { ok: false, stdout: '', said: error.message };
  }
}

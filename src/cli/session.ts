import { constants } from 'node:os';
import type { Tools } from '../steps/tools.js';
import { killRunning } from '../system/group.js';
import { fail, type PackBuildError } from '../values/error.js';
import { attempted, tellError } from './attempted.js';
import { cacheDirectory, processEnv, sandboxFor } from './environment.js';
import { makeListener, type Output } from './listener.js';
import type { Outputs } from './outputs.js';
import { networkAccess, type RegistryFlags } from './registry-access.js';
import { renderTimings } from './timings.js';

/** Flags that every command has. */
export interface CommonFlags extends RegistryFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly timings?: boolean;
  readonly cacheDir?: string;
  readonly sandbox?: string;
}

/** What a command works with. */
export interface Session {
  readonly tools: Tools;
  readonly cacheDir: string;
  readonly cwd: string;
  readonly output: Output;
  readonly json: boolean;
}

/** What a command gives: data for programs, and the same as text for stdout. `status` is for commands that run a process. */
export interface Outcome {
  readonly data: object;
  readonly text: string;
  readonly status?: number | undefined;
}

/**
 * Runs a command between its flags and its exit status: stdout gets data only, stderr what people read. The first signal
 * aborts the work in order, the second ends it at once. The loss of an output aborts it in order too.
 */
export async function runSession(
  flags: CommonFlags,
  output: Outputs,
  work: (session: Session) => Promise<Outcome>,
): Promise<number> {
  const json = flags.json === true;
  const { on, timings } = makeListener(output, { json, quiet: flags.quiet === true, verbose: flags.verbose === true });
  const interrupt = abortOnSignals((error) => tellError(error, output, json));
  let own: number | undefined;
  const status = await attempted(
    async () => {
      const signal = AbortSignal.any([interrupt.signal, output.signal]);
      const tools: Tools = {
        sandbox: sandboxFor(flags.sandbox ?? 'auto', on),
        on,
        env: processEnv(),
        ...networkAccess(flags, on, signal),
        signal,
      };
      const outcome = await work({
        tools,
        cacheDir: cacheDirectory(flags.cacheDir),
        cwd: workingDirectory(),
        output,
        json,
      });
      if (json) output.stdout.write(`${JSON.stringify({ type: 'result', ...outcome.data })}\n`);
      else if (outcome.text !== '') output.stdout.write(`${outcome.text}\n`);
      own = outcome.status;
      return own ?? 0;
    },
    output,
    json,
  );
  if (flags.timings) output.stderr.write(renderTimings(timings));
  // A process that was asked to end may have had something to say about it; one that died of it tells no more than we know.
  const isToldByProcess = own !== undefined && own !== 128 + constants.signals.SIGTERM;
  return isToldByProcess ? status : (interrupt.status() ?? status);
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `tell` gets the last words before an end at once. */
function abortOnSignals(tell: (error: unknown) => void) {
  const controller = new AbortController();
  let received: (typeof SIGNALS)[number] | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (received !== undefined) {
        killRunning();
        tell(endedAtOnce(signal));
        process.exit(128 + constants.signals[signal]);
      }
      received = signal;
      controller.abort(fail('INTERRUPTED', { what: `interrupted by ${signal}` }));
    });
  }
  return {
    signal: controller.signal,
    status: () => (received === undefined ? undefined : 128 + constants.signals[received]),
  };
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw fail('USAGE', {
      what: 'the working directory is gone',
      why: error instanceof Error ? error.message : undefined,
      fix: 'cd to a directory that is there, and run the command again',
      cause: error,
    });
  }
}

function endedAtOnce(signal: string): PackBuildError {
  return fail('INTERRUPTED', {
    what: `interrupted again, by ${signal}, and ended at once`,
    why: 'temporary files and a lock may be left; a place that was being written has what it had, or the new image',
    fix: 'nothing: the next command sweeps what is left',
  });
}

import { runProcess } from '../system/process.js';
import { fail, isFailure } from '../values/error.js';
import type { Exit, Mount, Sandbox, SandboxCommand } from './sandbox.js';

/**
 * No isolation at all: programs run as this user, on this machine's own files, and see mounts under their host names.
 * `root`, `network` and `user` mean nothing here, and a read-only mount is not protected. A process that leaves its group survives.
 * Its `run` throws `SANDBOX_FAILED` and `INTERRUPTED`.
 */
export function hostSandbox(): Sandbox {
  return { kind: 'host', pathOf: hostPathOf, run: runOnHost };
}

async function runOnHost(command: SandboxCommand): Promise<Exit> {
  const [program, ...args] = command.argv;
  try {
    const result = await runProcess({
      file: hostPathOf(program, command.mounts),
      args,
      cwd: hostPathOf(command.cwd, command.mounts),
      env: command.env,
      output: command.output,
      maxCapture: 0,
      onOutput: command.onOutput,
      signal: command.signal,
      abortIsExit: command.init !== undefined,
      graceMs: command.init?.graceMs,
      timeoutMs: command.timeoutMs,
    });
    return { code: result.code, killedBy: result.killedBy, timedOut: result.timedOut };
  } catch (error) {
    if (!isFailure(error, 'TOOL_MISSING', 'TOOL_FAILED')) throw error;
    throw fail('SANDBOX_FAILED', {
      what: `${program} could not be started`,
      why: error.why,
      details: { program },
      cause: error,
    });
  }
}

/** The path below the mount whose name is the longest prefix; a path below none is the host's own. */
function hostPathOf(inside: string, mounts: readonly Mount[]): string {
  const holders = mounts.filter(({ to }) => inside === to || inside.startsWith(to === '/' ? '/' : `${to}/`));
  const holder = holders.reduce<Mount | undefined>(
    (best, next) => (best && best.to.length > next.to.length ? best : next),
    undefined,
  );
  if (holder === undefined) return inside;
  return holder.from + inside.slice(holder.to === '/' ? 0 : holder.to.length);
}

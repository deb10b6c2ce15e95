import { runProcess } from '../system/process.js';
import { findProgram } from '../system/tools.js';

/** What is known of a program. */
export interface Program {
  readonly path: string;
  /** The first line that it prints for `--version`, without control characters; empty if it prints none. */
  readonly says: string;
}

export interface ProbeOptions {
  /** PATH, and what else a probe names. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** How long a probe may take. */
export const PROBE_MS = 10_000;

const MAX_LINE = 80;

/** Looks for a program on PATH and starts it with `--version`; undefined if there is none. Throws `TOOL_FAILED`, `INTERRUPTED`. */
export async function askVersion(name: string, { env, signal }: ProbeOptions): Promise<Program | undefined> {
  const path = await findProgram(name, env['PATH']);
  if (path === undefined) return undefined;
  const own = env['PATH'] === undefined ? {} : { PATH: env['PATH'] };
  const { stdout, lastLines } = await runProcess({
    file: path,
    args: ['--version'],
    env: own,
    cwd: '/',
    timeoutMs: PROBE_MS,
    maxCapture: 4096,
    signal,
  });
  const [line = ''] = Buffer.from(stdout).toString('utf8').split('\n');
  return { path, says: plain(line) || plain(lastLines[0] ?? '') };
}

function plain(line: string): string {
  return line
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, MAX_LINE);
}

import { findProgram } from '../system/tools.js';
import { attempt, type ProbeOptions } from './attempt.js';

/** What is known of a program. */
export interface Program {
  readonly path: string;
  /** The first line that it prints for `--version`, without control characters. */
  readonly says: string;
}

const MAX_LINE = 80;

/** Looks for a program on PATH and starts it with `--version`; undefined if there is none that tells. Throws `INTERRUPTED`. */
export async function askVersion(name: string, { env, signal }: ProbeOptions): Promise<Program | undefined> {
  const path = await findProgram(name, env['PATH']);
  if (path === undefined) return undefined;
  // podman tells nothing where it does not know where it is at home.
  const own = {
    HOME: '/',
    ...Object.fromEntries(['PATH', 'HOME'].flatMap((key) => (env[key] ? [[key, env[key]]] : []))),
  };
  const { ok, stdout, said } = await attempt({ file: path, args: ['--version'], env: own, signal });
  const [line = ''] = stdout.split('\n');
  return ok ? { path, says: plain(line) || plain(said) } : undefined;
}

function plain(line: string): string {
  return line
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, MAX_LINE);
}

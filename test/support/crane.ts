import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs crane, which is compiled when it is not there. Gives what it printed. */
export async function crane(...args: readonly string[]): Promise<string> {
  compiled ??= promisify(execFile)('bash', ['scripts/crane.sh']).then(({ stdout }) => stdout.trim());
  return (await promisify(execFile)(await compiled, [...args], { maxBuffer: 1e8 })).stdout;
}

/** How long a test may take that is the first to need it. */
export const WITH_CRANE_MS = 600_000;

let compiled: Promise<string> | undefined;

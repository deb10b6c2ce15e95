import { type ProcessResult, runProcess } from '../system/process.js';

export interface GitOptions {
  /** PATH, and what transports need: certificates, proxies, SSH_AUTH_SOCK. Nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly stdin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs git without the user's and the machine's settings, without hooks and helpers, and never asking for a password.
 * Throws `TOOL_MISSING`, `INTERRUPTED`.
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<ProcessResult> {
  return runProcess({
    file: 'git',
    args: [...SAFE, ...args],
    env: {
      HOME: '/nonexistent',
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
      ...options.env,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C',
    },
    stdin: options.stdin,
    timeoutMs: options.timeoutMs,
    signal: options.signal,
  });
}

const SAFE = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['protocol.ext.allow', 'never'],
  ['submodule.recurse', 'false'],
  ['gc.auto', '0'],
  ['advice.detachedHead', 'false'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);

import { constants } from 'node:os';

/** Signals that end a process and dump it or not; those that stop, continue or do nothing are left out. */
const DEADLY = [
  ...([
    'SIGHUP',
    'SIGINT',
    'SIGQUIT',
    'SIGILL',
    'SIGTRAP',
    'SIGABRT',
    'SIGBUS',
    'SIGFPE',
    'SIGKILL',
    'SIGUSR1',
  ] as const),
  ...(['SIGSEGV', 'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGTERM', 'SIGXCPU', 'SIGXFSZ', 'SIGSYS'] as const),
];

/**
 * Reads the status that bubblewrap and shells give for a program: its exit code, or 128 and the number of the signal that
 * ended it. A program that itself exits with such a number (a shell does, when its own last command was killed) cannot be
 * told from one that was killed, and is taken for killed.
 */
export function readStatus(status: number): {
  readonly code: number | undefined;
  readonly killedBy: string | undefined;
} {
  const killedBy = DEADLY.find((name) => constants.signals[name] === status - 128);
  return killedBy === undefined ? { code: status, killedBy } : { code: undefined, killedBy };
}

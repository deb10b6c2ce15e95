import { signalGroup, signalProcess } from './group.js';

/** How long a program may take to end in good order after SIGTERM, if nobody says otherwise. */
const GRACE_MS = 1500;

/** When to end a program before it does so itself. */
export interface StopRules {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly graceMs?: number | undefined;
  /** Asks the program to end in its own way, in place of SIGTERM. False when it could not ask. */
  readonly terminate?: (() => boolean) | undefined;
}

/** Ends a running program, with its whole group if it leads one, when `signal` aborts or its time is over. */
export function watchForStop(rules: StopRules, pid: number | undefined, leadsGroup: boolean) {
  const timers: NodeJS.Timeout[] = [];
  let timedOut = false;
  const send = (signal: NodeJS.Signals) => {
    if (pid === undefined) return;
    if (leadsGroup) signalGroup(pid, signal);
    else signalProcess(pid, signal);
  };
  const stop = () => {
    if (!rules.terminate?.()) send('SIGTERM');
    timers.push(setTimeout(() => send('SIGKILL'), rules.graceMs ?? GRACE_MS));
  };
  const expire = () => {
    timedOut = true;
    stop();
  };
  if (rules.timeoutMs !== undefined) timers.push(setTimeout(expire, rules.timeoutMs));
  rules.signal?.addEventListener('abort', stop, { once: true });
  // The abort may have come while the program was being started.
  if (rules.signal?.aborted) stop();
  const cancel = () => {
    for (const timer of timers) clearTimeout(timer);
    rules.signal?.removeEventListener('abort', stop);
  };
  return { cancel, timedOut: () => timedOut };
}

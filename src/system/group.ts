import { readdir } from 'node:fs/promises';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../values/error.js';
import { readStat } from './stat.js';

/** Sends a signal to a process group. True if there was a process that could get it. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  return signalProcess(-leader, signal);
}

/** Sends a signal to a process. False if it is gone, or is not ours. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return kill(pid, signal);
  } catch (error) {
    if (systemCode(error) === 'ESRCH' || systemCode(error) === 'EPERM') return false;
    throw error;
  }
}

/** The leaders of the groups that programs of ours run in. */
const running = new Set<number>();

/** Counts a group among those that `killRunning` kills, until `killGroup` has. */
export function countGroup(leader: number): void {
  running.add(leader);
}

/** Kills the groups of all programs that run, and waits for nothing: for who ends at once. */
export function killRunning(): void {
  for (const leader of running) signalGroup(leader, 'SIGKILL');
}

/** Kills what is left of a process group and waits, for at most a second, until none of it runs. */
export async function killGroup(leader: number): Promise<void> {
  running.delete(leader);
  if (!signalGroup(leader, 'SIGKILL')) return;
  for (let tries = 0; tries < 100 && (await runsAny(leader)); tries += 1) await sleep(10);
}

/** Dead processes count as members of their group until they are collected, which in a container may be never. */
async function runsAny(leader: number): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readStat(Number(pid))));
  return stats.some((stat) => stat?.group === leader);
}

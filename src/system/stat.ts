import { readFile } from 'node:fs/promises';

/** What the kernel tells of a process that runs (proc(5), `/proc/PID/stat`). */
export interface ProcessStat {
  readonly group: number;
  /** Clock ticks since the machine's start. With the process id, it names a process for ever. */
  readonly started: string;
}

/** Undefined for a process that has ended, also while its exit status waits to be collected, and where there is no /proc. */
export async function readStat(pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const [state, , group, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const started = fields[16];
  if (state === undefined || ['', 'Z', 'X'].includes(state) || started === undefined) return undefined;
  return { group: Number(group), started };
}

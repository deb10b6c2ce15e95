import { readFile, readlink } from 'node:fs/promises';
import { pid as ownPid } from 'node:process';
import { signalProcess } from './group.js';
import { readStat } from './stat.js';

/** Names one process for as long as its machine runs: a process id alone may be given again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's start and the process's (proc(5), stat, field 22). */
  readonly started: string;
  /** Where the process id is valid: this start of the machine and this pid namespace. */
  readonly realm: string;
}

let own: Promise<ProcessIdentity> | undefined;

/** The identity of this process: it signs every staged file, and is asked for but once. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= readOwn();
  return own;
}

async function readOwn(): Promise<ProcessIdentity> {
  return { pid: ownPid, started: (await readStat(ownPid))?.started ?? '0', realm: await ownRealm() };
}

/** What can be known here of a process: one of another container or another start of the machine is `elsewhere`. */
export async function stateOf(identity: ProcessIdentity): Promise<'alive' | 'dead' | 'elsewhere'> {
  if (identity.realm !== (await ownIdentity()).realm) return 'elsewhere';
  if (identity.realm === NO_PROC) return signalProcess(identity.pid, 0) ? 'alive' : 'dead';
  return (await readStat(identity.pid))?.started === identity.started ? 'alive' : 'dead';
}

const NO_PROC = '0.0';

async function ownRealm(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    const namespace = await readlink('/proc/self/ns/pid');
    return `${boot.slice(0, 8)}.${namespace.replace(/\D/g, '')}`;
  } catch {
    return NO_PROC;
  }
}

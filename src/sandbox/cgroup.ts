import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownIdentity } from '../system/identity.js';
import { readStat } from '../system/stat.js';

/** What all processes of a sandbox may take together; as much as there is where absent. */
export interface SandboxLimits {
  readonly memoryBytes?: number | undefined;
  readonly processes?: number | undefined;
}

/** Which of the limits was met. */
export type Breach = 'memory' | 'processes';

/** Control groups of one sandbox. */
export interface Cgroup {
  /** Files into which a process writes its id to come under the limits. */
  readonly joins: readonly string[];
  /** The limits that this machine does not let us set. */
  readonly unenforced: readonly Breach[];
  breach(): Promise<Breach | undefined>;
  remove(): Promise<void>;
}

interface Controller {
  readonly breach: Breach;
  readonly name: 'memory' | 'pids';
  readonly value: number;
}

let count = 0;

/**
 * Makes groups with these limits: in the hierarchies of version 1 (`memory`, `pids`), or beside our own group in that of
 * version 2 where its controllers are handed on. What cannot be had is in `unenforced`.
 */
export async function makeCgroup(limits: SandboxLimits): Promise<Cgroup> {
  const wanted: Controller[] = [];
  if (limits.memoryBytes !== undefined) wanted.push({ breach: 'memory', name: 'memory', value: limits.memoryBytes });
  if (limits.processes !== undefined) wanted.push({ breach: 'processes', name: 'pids', value: limits.processes });
  count += 1;
  const own = `pack-build-${(await ownIdentity()).pid}-${count}`;
  const made = await Promise.all(wanted.map((controller) => makeGroup(controller, own)));
  const groups = made.flatMap((group) => group ?? []);
  return {
    joins: groups.map(({ dir }) => join(dir, 'cgroup.procs')),
    unenforced: wanted.filter((_, at) => made[at] === undefined).map(({ breach }) => breach),
    breach: async () => {
      for (const { dir, breach } of groups) if (await wasMet(dir, breach)) return breach;
      return undefined;
    },
    remove: async () => void (await Promise.all(groups.map(({ dir }) => removeGroup(dir)))),
  };
}

interface Group {
  readonly dir: string;
  readonly breach: Breach;
}

async function makeGroup({ name, value, breach }: Controller, own: string): Promise<Group | undefined> {
  for (const { parent, file } of await parentsFor(name)) {
    await sweep(parent);
    const dir = join(parent, `${own}-${name}`);
    try {
      await mkdir(dir);
      await writeFile(join(dir, file), `${value}`);
      // Without it, memory would go to swap instead. Not every kernel counts that.
      for (const swap of ['memory.memsw.limit_in_bytes', 'memory.swap.max'])
        if (name === 'memory')
          await writeFile(join(dir, swap), swap.endsWith('max') ? '0' : `${value}`, { flag: 'r+' }).catch(
            () => undefined,
          );
      return { dir, breach };
    } catch {
      await removeGroup(dir);
    }
  }
  return undefined;
}

/** Where a group of this controller may be made, of either version. */
async function parentsFor(name: 'memory' | 'pids') {
  const lines = (await readFile('/proc/self/cgroup', 'utf8').catch(() => '')).trim().split('\n');
  const paths = new Map(lines.map((line) => [line.split(':')[1] ?? '', line.split(':').slice(2).join(':')]));
  const file = name === 'memory' ? 'memory.limit_in_bytes' : 'pids.max';
  const unified = name === 'memory' ? 'memory.max' : 'pids.max';
  return [
    { parent: join('/sys/fs/cgroup', name, paths.get(name) ?? ''), file },
    { parent: join('/sys/fs/cgroup', name), file },
    // A group with processes hands no controllers on (version 2): ours is made beside it.
    { parent: join('/sys/fs/cgroup', paths.get('') ?? '', '..'), file: unified },
    { parent: '/sys/fs/cgroup', file: unified },
  ];
}

async function wasMet(dir: string, breach: Breach): Promise<boolean> {
  const files = breach === 'memory' ? ['memory.events', 'memory.oom_control'] : ['pids.events'];
  const texts = await Promise.all(files.map((file) => readFile(join(dir, file), 'utf8').catch(() => '')));
  return texts.some((text) => (breach === 'memory' ? /^oom_kill [1-9]/m : /^max [1-9]/m).test(text));
}

/** Groups of processes of ours that were killed. One that is in use cannot be removed. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const owner = /^pack-build-(\d+)-\d+-/.exec(name)?.[1];
    if (owner !== undefined && (await readStat(Number(owner))) === undefined)
      await rmdir(join(parent, name)).catch(() => undefined);
  }
}

/** A group can be removed when its last process has been collected, which takes a moment. */
async function removeGroup(dir: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const done = await rmdir(dir).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'EBUSY',
    );
    if (done) return;
    await sleep(10);
  }
}

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
  const ownGroups = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  for (const parent of groupParents(name, ownGroups)) {
    await sweep(parent);
    const dir = join(parent, `${own}-${name}`);
    try {
      await mkdir(dir);
      await writeFile(join(dir, limitFile(name, parent)), `${value}`);
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

const ROOT = '/sys/fs/cgroup';

/** Where a group of this controller may be made, of either version, by what `/proc/self/cgroup` says. */
export function groupParents(name: 'memory' | 'pids', ownGroups: string): readonly string[] {
  const lines = ownGroups
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const pathOf = (controller: string) =>
    lines.find(([, names = '']) => names.split(',').includes(controller))?.[2] ?? '';
  // A group with processes hands no controllers on (version 2): another is made beside it.
  const unified = pathOf('');
  return [...new Set([join(ROOT, name, pathOf(name)), join(ROOT, name), join(ROOT, unified, '..'), ROOT])].filter(
    (path) => path.startsWith(ROOT),
  );
}

/** The files that set a limit: those of version 1 lie below the controller's name. */
function limitFile(name: 'memory' | 'pids', parent: string): string {
  if (name === 'pids') return 'pids.max';
  return parent.startsWith(join(ROOT, name)) ? 'memory.limit_in_bytes' : 'memory.max';
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

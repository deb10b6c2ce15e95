import { mkdtemp, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { groupParents } from '../sandbox/cgroup.js';
import { doubtful, type Finding, fine } from '../values/finding.js';

const NAME = 'cgroups';
const ROOT = '/sys/fs/cgroup';
const CONTROLLERS = ['memory', 'pids'] as const;

export type CgroupVersion = 'v1' | 'v2' | 'hybrid' | 'none';

/** Makes a control group for memory, and one for processes, where limits would be set, and removes them again. */
export async function probeCgroups(): Promise<Finding> {
  const [mounts, own] = await Promise.all(
    ['mountinfo', 'cgroup'].map((file) => readFile(`/proc/self/${file}`, 'utf8').catch(() => '')),
  );
  const version = cgroupVersion(mounts ?? '');
  const can = await Promise.all(CONTROLLERS.map(async (name) => canLimit(name, own ?? '')));
  const lacking = CONTROLLERS.filter((_, at) => !can[at]);
  const details = { version, memory: can[0] === true, pids: can[1] === true };
  if (version === 'none')
    return doubtful(NAME, 'there are none', 'mount cgroup2 at /sys/fs/cgroup, so that memory can be limited', details);
  if (lacking.length === 0) return fine(NAME, `${version}, delegated: memory and processes can be limited`, details);
  return doubtful(
    NAME,
    `${version}, not delegated: we may make no group for ${lacking.join(' and ')}`,
    version === 'v2'
      ? 'systemd-run --user --scope -p Delegate=yes pack-build …, or start pack-build in a group that is yours'
      : `have root make a group for you below ${lacking.map((name) => `${ROOT}/${name}`).join(' and ')}, and start pack-build in it`,
    details,
  );
}

/** Which versions of control groups a table of mounts has: in a hybrid, the controllers are those of version 1. */
export function cgroupVersion(mountinfo: string): CgroupVersion {
  const kinds = new Set(mountinfo.split('\n').map((line) => / - (cgroup2?) /.exec(line)?.[1]));
  if (kinds.has('cgroup')) return kinds.has('cgroup2') ? 'hybrid' : 'v1';
  return kinds.has('cgroup2') ? 'v2' : 'none';
}

async function canLimit(name: (typeof CONTROLLERS)[number], ownGroups: string): Promise<boolean> {
  const limits = name === 'memory' ? /^memory\.(limit_in_bytes|max)$/ : /^pids\.max$/;
  for (const parent of groupParents(name, ownGroups)) {
    const made = await mkdtemp(join(parent, 'pack-build-doctor-')).catch(() => undefined);
    if (made === undefined) continue;
    const inside = await readdir(made);
    await rmdir(made);
    if (inside.some((file) => limits.test(file))) return true;
  }
  return false;
}

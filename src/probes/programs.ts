import { installCommand, isAtLeast } from '../system/tools.js';
import { doubtful, type Finding, fine } from '../values/finding.js';
import type { ProbeOptions } from './attempt.js';
import { askVersion } from './version.js';

/** Versions with a hole, where the fix came in several lines at once. */
interface Hole {
  /** The first version of a line that has the hole fixed, and from where on the next line begins. */
  readonly fixedIn: string;
  readonly below?: string | undefined;
}

/** Container engines that let a container write where it must not. Distributions repair without a new number. */
const HOLES: Readonly<Record<string, readonly Hole[]>> = {
  // CVE-2024-1753: a mount of a build leads out of it.
  podman: [{ fixedIn: '4.9.4', below: '5.0.0' }, { fixedIn: '5.0.1' }],
  // CVE-2025-31133, CVE-2025-52565, CVE-2025-52881: mounts that can be swapped for the host's own files.
  runc: [{ fixedIn: '1.2.8', below: '1.3.0' }, { fixedIn: '1.3.3' }],
};

/** Looks for the programs that some work needs: git, what forwards a network, and container engines. */
export async function probePrograms(options: ProbeOptions): Promise<readonly Finding[]> {
  return [
    await probeGit(options),
    await probeForwarder(options),
    await probeEngine('podman', options),
    await probeEngine('runc', options),
  ];
}

async function probeGit(options: ProbeOptions): Promise<Finding> {
  const git = await askVersion('git', options);
  if (git !== undefined) return fine('git', git.says, { ...git });
  return doubtful(
    'git',
    'none that can be started: buildpacks by the address of a repository cannot be fetched',
    installCommand('git'),
  );
}

async function probeForwarder(options: ProbeOptions): Promise<Finding> {
  const program = await askVersion('slirp4netns', options);
  if (program !== undefined) return fine('network', program.says, { ...program });
  return doubtful(
    'network',
    "no slirp4netns: buildpacks have this machine's own network, or none",
    installCommand('slirp4netns', 'ip'),
  );
}

async function probeEngine(name: 'podman' | 'runc', options: ProbeOptions): Promise<Finding> {
  const program = await askVersion(name, options);
  if (program === undefined) return fine(name, 'none, and none is needed');
  const hole = await holeIn(name, program.says);
  if (hole === undefined) return fine(name, program.says, { ...program });
  return doubtful(
    name,
    `${program.says} has known holes, unless your distribution has repaired them`,
    `use ${name} ${hole} or newer; the bubblewrap sandbox does without it`,
    { ...program, fixedIn: hole },
  );
}

/** The version that mends the known holes of a program, if what it prints for `--version` names one that has them. */
export async function holeIn(name: string, says: string): Promise<string | undefined> {
  for (const { fixedIn, below } of HOLES[name] ?? []) {
    const isInLine = below === undefined || (await isAtLeast(says, below)) === false;
    if (isInLine) return (await isAtLeast(says, fixedIn)) === false ? fixedIn : undefined;
  }
  return undefined;
}

import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { fail, type PackBuildError } from '../values/error.js';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Debian's package for each program whose package has another name. */
const PACKAGES: Readonly<Record<string, string>> = {
  bwrap: 'bubblewrap',
  docker: 'docker.io',
  mkfifo: 'coreutils',
  newuidmap: 'uidmap',
  setpriv: 'util-linux',
  xz: 'xz-utils',
  'apt-get': 'apt',
  'dpkg-query': 'dpkg',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
};

/** The absolute path of the first executable file of this name on `path` (a PATH; the system's usual one if absent). */
export async function findProgram(name: string, path: string | undefined): Promise<string | undefined> {
  for (const folder of (path || DEFAULT_PATH).split(delimiter)) {
    // An empty or relative entry means the current directory, which may hold an app's own `git`.
    if (!isAbsolute(folder)) continue;
    if (await isExecutableFile(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** Like `findProgram`, but throws `TOOL_MISSING` when there is none. */
export async function requireProgram(name: string, path: string | undefined): Promise<string> {
  const found = await findProgram(name, path);
  if (found === undefined) throw toolMissing(name);
  return found;
}

/** The error for a program that is not installed. */
export function toolMissing(name: string, cause?: unknown): PackBuildError {
  return fail('TOOL_MISSING', {
    what: `the program ${name} is not installed`,
    why: 'there is no executable file of this name in any directory of PATH',
    fix: installCommand(name),
    details: { program: name },
    cause,
  });
}

/** The command that installs a program on Debian and Ubuntu. */
export function installCommand(...names: readonly string[]): string {
  return `apt-get install ${[...new Set(names.map((name) => PACKAGES[name] ?? name))].join(' ')}`;
}

/** Whether what a program printed for `--version` names a version of at least `floor`; undefined if it names none. */
export async function isAtLeast(versionText: string, floor: string): Promise<boolean | undefined> {
  const { default: semver } = await import('semver');
  const version = semver.coerce(versionText);
  return version === null ? undefined : semver.gte(version, semver.coerce(floor) ?? floor);
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

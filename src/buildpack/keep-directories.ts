import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { fail } from '../values/error.js';
import { directoriesOf, hostPath, type Workspace } from './workspace.js';

/**
 * Puts the directories of a build right again which scripts may have removed, closed, or replaced by links; what is in them
 * stays. To be called before each script, while no process of the build runs: a link that stands where something is mounted
 * or copied from would be followed on the host. BUILD_DIR is not made again but required. Throws `BUILD_DIR_LOST`.
 */
export async function keepDirectories(workspace: Workspace, next: string): Promise<void> {
  for (const [inside, mode] of directoriesOf(workspace))
    if (inside !== workspace.buildDir) await keep(hostPath(workspace, inside), mode);
  const found = await buildDirLost(workspace);
  if (found === undefined) return;
  throw fail('BUILD_DIR_LOST', {
    what: `there is no build directory for ${next}`,
    why: `what ran before it, a script or an export file, left ${found} at ${workspace.buildDir}`,
    fix: 'report it to the author of the buildpack before it; the app must stay in the directory that bin/compile gets as its first argument',
  });
}

/** BUILD_DIR is looked up by its path: a buildpack may have removed and made it again (R14). Undefined when it is there. */
export async function buildDirLost(workspace: Workspace): Promise<string | undefined> {
  const stat = await find(hostPath(workspace, workspace.buildDir));
  if (stat?.isDirectory()) return undefined;
  if (stat === undefined) return 'nothing';
  return stat.isSymbolicLink() ? 'a symbolic link' : 'a file';
}

async function keep(path: string, mode: number): Promise<void> {
  const stat = await find(path);
  if (stat?.isDirectory() && (stat.mode & mode) === mode) return;
  if (!stat?.isDirectory()) {
    await rm(path, { force: true });
    await mkdir(path);
  }
  await chmod(path, mode);
}

async function find(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}

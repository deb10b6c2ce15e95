import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount, Sandbox } from '../sandbox/sandbox.js';

/** The names of the directories inside, the same for every build (R12, R13): some programs write them into files. */
export const INSIDE = {
  tmp: '/tmp',
  app: '/app',
  home: '/tmp/home_app',
  cacheDir: '/tmp/cache_app',
  envDir: '/tmp/env_app',
  buildpacks: '/tmp/buildpacks',
} as const;

/** Where BUILD_DIR is inside: beside the other directories, or where the app will be at run time (R15). */
export type BuildDir = '/tmp/build_app' | '/app';

/** `--build-dir` without a choice. */
export const BUILD_DIR: BuildDir = '/tmp/build_app';

/**
 * One build's private directories: a host directory that backs `/tmp` and `/app` through all phases. Below /tmp, BUILD_DIR is
 * no mount point (R14) and one file system with CACHE_DIR and /tmp itself (R22); as /app it is a mount point. No base is
 * needed to fill them.
 */
export interface Workspace {
  /** The host directory that holds `tmp` and `app`. */
  readonly hostDir: string;
  readonly buildDir: BuildDir;
  readonly mounts: readonly Mount[];
}

/** A workspace over a read-only base: all that scripts see of the file system. */
export interface RootedWorkspace extends Workspace {
  /** The unpacked build base on the host. */
  readonly root: string;
}

/**
 * Makes the directories of a build in an existing empty one that is private to it: /app is empty (R19), ENV_DIR is 0700 and
 * there even without config vars (R21).
 */
export async function makeWorkspace(hostDir: string, buildDir: BuildDir = BUILD_DIR): Promise<Workspace> {
  const workspace: Workspace = {
    hostDir,
    buildDir,
    mounts: [
      { from: join(hostDir, 'tmp'), to: INSIDE.tmp, writable: true },
      { from: join(hostDir, 'app'), to: INSIDE.app, writable: true },
    ],
  };
  for (const [inside, mode] of directoriesOf(workspace)) {
    await mkdir(hostPath(workspace, inside), { recursive: true });
    // mkdir's own mode is subject to the umask.
    await chmod(hostPath(workspace, inside), mode);
  }
  return workspace;
}

/** The directories of a build with their modes, parents first. */
export function directoriesOf({ buildDir }: Workspace): readonly (readonly [string, number])[] {
  return [
    [INSIDE.tmp, 0o1777],
    [INSIDE.app, 0o755],
    [buildDir === INSIDE.app ? INSIDE.home : buildDir, 0o755],
    [INSIDE.cacheDir, 0o755],
    [INSIDE.envDir, 0o700],
    [INSIDE.buildpacks, 0o755],
  ];
}

/** Where a name below `/tmp` or `/app` is on the host. */
export function hostPath(workspace: Workspace, inside: string): string {
  return join(workspace.hostDir, inside);
}

/** The name inside of buildpack `number`, counted from one. The same buildpack may be listed twice (R69). */
export function buildpackDir(number: number): string {
  return `${INSIDE.buildpacks}/${number}`;
}

/** The mounts with BUILD_DIR read-only over itself, for the phases that may only look. */
export function lookingMounts(workspace: Workspace): readonly Mount[] {
  const { buildDir } = workspace;
  return [...workspace.mounts, { from: hostPath(workspace, buildDir), to: buildDir, writable: false }];
}

/** The names under which scripts know /app and HOME, which is never BUILD_DIR: others than these only without isolation. */
export function homeOf(workspace: Workspace, sandbox: Sandbox): { readonly app: string; readonly home: string } {
  const named = (inside: string) => sandbox.pathOf(inside, workspace.mounts);
  const app = named(INSIDE.app);
  return { app, home: workspace.buildDir === INSIDE.app ? named(INSIDE.home) : app };
}

import { chmod, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { LAYER_MTIME } from '../archive/tar-header.js';
import { ownUser } from '../system/own-user.js';
import { runProcess } from '../system/process.js';
import { withTempDir } from '../system/tempdir.js';
import { fail, isFailure } from '../values/error.js';
import { bootstrapFailure } from './explain.js';
import { hookEnvironment } from './hooks.js';
import { askHostApt } from './host-apt.js';
import { mmdebstrapArguments, requireMmdebstrap } from './mmdebstrap.js';
import { BUILD_PACKAGES, type InstalledPackage, parseInventory, parsePackageNames } from './packages.js';
import type { Suite } from './suites.js';

export interface BootstrapRequest {
  readonly suite: Suite;
  /** More packages for both images: `NAME` or `NAME=VERSION`. */
  readonly include: readonly string[];
  /** Whether the distribution's security fixes are installed. */
  readonly security: boolean;
  /** Makes only the run image, in about half the time. */
  readonly only?: 'run' | undefined;
  /** An existing directory that gets the results, as `run.tar`, `build.tar` and lists of their packages. */
  readonly workDir: string;
  /** Where fetched packages are kept for the next time. */
  readonly debCache?: string | undefined;
  /** PATH, and how to reach the network: the variables that name proxies. Nothing else of it is used. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((chunk: Uint8Array) => void) | undefined;
}

/** A whole root filesystem as a tar, with names from `./` down, sorted, and constant times. */
export interface RootTar {
  readonly tar: string;
  readonly packages: readonly InstalledPackage[];
}

export interface Bootstrapped {
  /** As `/etc/debian_version` tells: `12.11`. */
  readonly version: string;
  /** As dpkg names it: `amd64`. */
  readonly architecture: string;
  readonly run: RootTar;
  /** The run tree with the build packages on top. */
  readonly build: RootTar | undefined;
}

/**
 * Makes the root filesystems of a base with mmdebstrap, from the mirrors that this machine's apt uses. The same packages
 * give the same bytes. Works as root, and for an ordinary user with a range in /etc/subuid and /etc/subgid.
 *
 * On failure and abort no process, mount or directory is left, but `workDir` may hold part of the results.
 * Throws `TOOL_MISSING`, `USAGE`, `BASE_CREATE_FAILED`, `DISK_FULL`, `INTERRUPTED`.
 */
export async function bootstrapDebian(request: BootstrapRequest): Promise<Bootstrapped> {
  const include = parsePackageNames(request.include);
  const env = toolEnvironment(request.env);
  await requireMmdebstrap(env, request.signal);
  const { suite, security, signal } = request;
  const host = await askHostApt({ suite, security, env, signal });
  const settings = {
    workDir: request.workDir,
    mtime: LAYER_MTIME,
    security,
    include,
    buildPackages: request.only === 'run' ? [] : BUILD_PACKAGES,
    aptAccess: host.access,
  };
  await withDebCache(request.debCache, async (debs) => {
    const args = mmdebstrapArguments({ suite, mirrors: host.mirrors, settings, debs });
    await runMmdebstrap(request, args, { ...env, ...hookEnvironment(settings) });
  });
  return await resultsOf(request);
}

/** Root's mounts are kept in a namespace of their own, where no death can leave them behind on the host. */
const PRIVATE_MOUNTS = ['unshare', '--mount', '--propagation', 'private', '--'];

type Env = Readonly<Record<string, string>>;

async function runMmdebstrap(request: BootstrapRequest, args: readonly string[], env: Env): Promise<void> {
  const { suite, signal, onOutput } = request;
  await withTempDir('pack-build-base', undefined, async (scratch) => {
    // apt fetches as another user, who must be able to pass through.
    await chmod(scratch, 0o711);
    const isRoot = (await ownUser()).uid === 0;
    const [file = 'mmdebstrap', ...rest] = [...(isRoot ? PRIVATE_MOUNTS : []), 'mmdebstrap', ...args];
    try {
      const inScratch = { ...env, TMPDIR: scratch };
      const { code, lastLines } = await runProcess({
        file,
        args: rest,
        env: inScratch,
        output: 'merged',
        signal,
        onOutput,
      });
      if (code !== 0) throw bootstrapFailure({ suite, code, lines: lastLines });
    } catch (error) {
      if (!isFailure(error, 'INTERRUPTED')) throw error;
      throw fail('INTERRUPTED', { what: `interrupted while the base ${suite.name} was made`, cause: error });
    } finally {
      if (!isRoot) await removeAsMappedUser(scratch, env);
    }
  });
}

/** An ordinary user cannot remove files of the users that a namespace lent to mmdebstrap, who was killed before it did. */
async function removeAsMappedUser(scratch: string, env: Env): Promise<void> {
  for (const name of await readdir(scratch)) {
    const args = ['--unshare-helper', 'rm', '-rf', '--one-file-system', join(scratch, name)];
    // It cannot remove the topmost directory, which is empty then and ours to remove.
    await runProcess({ file: 'mmdebstrap', args, env, timeoutMs: 60_000 });
  }
}

/** Runs `work` with the directory of kept packages and one for new ones, which are kept one by one, each complete. */
async function withDebCache(
  debCache: string | undefined,
  work: (debs: { readonly kept: string; readonly fetched: string } | undefined) => Promise<void>,
): Promise<void> {
  if (debCache === undefined) return await work(undefined);
  const kept = join(debCache, 'archives');
  await mkdir(kept, { recursive: true });
  await withTempDir('fetched', debCache, async (fetched) => {
    await work({ kept, fetched });
    const names = (await readdir(fetched)).filter((name) => name.endsWith('.deb'));
    for (const name of names) await rename(join(fetched, name), join(kept, name));
  });
}

async function resultsOf({ workDir, only }: BootstrapRequest): Promise<Bootstrapped> {
  const run = await resultOf(workDir, 'run');
  const build = only === 'run' ? undefined : await resultOf(workDir, 'build');
  return { version: run.version, architecture: run.architecture, run: run.root, build: build?.root };
}

async function resultOf(workDir: string, name: 'run' | 'build') {
  const list = await readFile(join(workDir, `${name}.packages`), 'utf8');
  const { version, architecture, packages } = parseInventory(list);
  return { version, architecture, root: { tar: join(workDir, `${name}.tar`), packages } };
}

const PASSED_ON = /^(?:PATH|(?:https?|ftp|all|no)_proxy)$/i;

function toolEnvironment(env: BootstrapRequest['env']): Env {
  const passed = Object.entries(env).flatMap(([name, value]) => {
    return PASSED_ON.test(name) && value !== undefined ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(passed), LC_ALL: 'C.UTF-8' };
}

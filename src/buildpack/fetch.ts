import { chmod, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Download } from '../http/download.js';
import { removeTree } from '../system/remove.js';
import { fail, systemCode } from '../values/error.js';
import { copyTree, machineFailure } from './copy-tree.js';
import { fetchGit } from './fetch-git.js';
import { fetchTarball } from './fetch-tarball.js';
import { fetchWeb } from './fetch-web.js';
import { type Notice, quoted } from './notice.js';
import type { SettledReference } from './registry-name.js';
import { requirePinned } from './require-pinned.js';
import { treeDigest } from './tree-digest.js';

export interface FetchOptions {
  /** Where to put the buildpack: a host path that does not exist, whose parent does. */
  readonly into: string;
  /** The host directory of the buildpacks that come with pack-build. */
  readonly bundled: string;
  /** The host directory where tarballs of web servers are kept. */
  readonly tarballs: string;
  /** Told the name of a tarball there before it is looked for or appears. */
  readonly useTarball?: ((name: string) => Promise<void>) | undefined;
  readonly download: Download;
  /** PATH and what transports need, for git, bzip2 and xz. Nothing else of the caller's environment reaches them. */
  readonly env: Readonly<Record<string, string>>;
  /** From the lock: what `version` must be. A git buildpack is fetched at this commit. */
  readonly expected?: string | undefined;
  /** For one try of one transfer. 90 seconds, as on Heroku, if absent. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchedBuildpack {
  /** The reference as it was written, without credentials. */
  readonly id: string;
  readonly kind: SettledReference['kind'];
  /** What pins it: a git commit, an SRI string of a tarball, or the digest of a tree. */
  readonly version: string;
  readonly notices: readonly Notice[];
}

/**
 * Puts a fresh, private, writable copy of a buildpack into the workspace (R4), with executable scripts (R6), and tells
 * what pins it (R9). Leaves nothing behind when it fails. Throws `BUILDPACK_NOT_FOUND`, `BUILDPACK_INVALID`,
 * `BUILDPACK_FETCH_FAILED`, `BUILDPACK_INTEGRITY`, `DISK_FULL`, `TOOL_MISSING`, `INTERRUPTED`.
 */
export async function fetchBuildpack(reference: SettledReference, options: FetchOptions): Promise<FetchedBuildpack> {
  try {
    const { version, notices } = await fetchKind(reference, options);
    await requireScripts(reference.id, options.into);
    const pinned = version ?? (await treeDigest(options.into));
    if (options.expected !== undefined) requirePinned(reference.id, options.expected, pinned);
    return { id: reference.id, kind: reference.kind, version: pinned, notices };
  } catch (error) {
    await removeTree(options.into);
    throw error;
  }
}

interface Fetched {
  readonly version?: string;
  readonly notices: readonly Notice[];
}

const FETCH_TIMEOUT_MS = 90_000;

async function fetchKind(reference: SettledReference, options: FetchOptions): Promise<Fetched> {
  const transfer = { env: options.env, timeoutMs: options.timeoutMs ?? FETCH_TIMEOUT_MS, signal: options.signal };
  const { id } = reference;
  switch (reference.kind) {
    case 'directory':
      return copyDirectory(id, reference.path, options);
    case 'bundled':
      return copyDirectory(id, join(options.bundled, reference.name), options);
    case 'tarball':
      return { version: await fetchTarball(id, reference.path, options.into, transfer), notices: [] };
    case 'git': {
      const pinned = options.expected !== undefined && /^[0-9a-f]{40,64}$/.test(options.expected);
      const ref = pinned ? options.expected : reference.ref;
      return { version: await fetchGit({ id, url: reference.url, ref }, options.into, transfer), notices: [] };
    }
    case 'http': {
      const { download, tarballs, useTarball, expected } = options;
      return fetchWeb({ id, url: reference.url }, options.into, {
        ...transfer,
        download,
        tarballs,
        useTarball,
        expected,
      });
    }
  }
}

async function copyDirectory(id: string, path: string, { into, signal }: FetchOptions): Promise<Fetched> {
  if (!(await isDirectory(path))) throw notFound(id, path);
  const notices: Notice[] = [];
  await copyTree(path, into, {
    leavesOut: ([first, second]) => {
      if (first === 'export' && second === undefined) notices.push(staleExport(id));
      return second === undefined && (first === '.git' || first === 'export');
    },
    // The owner must be able to write: buildpacks write into their own copy and clean up after themselves.
    modeOf: (mode, directory) => (mode & 0o777) | (directory ? 0o700 : 0o600),
    signal,
  }).catch(async (cause) => {
    throw (await machineFailure(cause, into)) ?? notCopied(id, cause, signal);
  });
  return { notices };
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Sets the mode of what is in bin/ (R6), and looks for the two scripts that make a directory a buildpack (R1). */
async function requireScripts(id: string, into: string): Promise<void> {
  const names = await readdir(join(into, 'bin')).catch(() => [] as string[]);
  for (const name of names) {
    const path = join(into, 'bin', name);
    if ((await lstat(path)).isFile()) await chmod(path, 0o755);
  }
  const missing = ['detect', 'compile'].filter((name) => !names.includes(name));
  if (missing.length > 0) throw notABuildpack(id, missing, names, await readdir(into));
}

function notCopied(id: string, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return fail('INTERRUPTED', { what: `interrupted while ${id} was copied`, cause });
  const code = systemCode(cause);
  const path = (cause as NodeJS.ErrnoException).path;
  if (code === undefined || path === undefined) return cause;
  return fail('BUILDPACK_INVALID', {
    what: `${id} cannot be copied`,
    why: `the system says ${code} for ${quoted(path, 300)}`,
    details: { buildpack: id, path },
    cause,
  });
}

function staleExport(id: string): Notice {
  return {
    code: 'BUILDPACK_STALE_EXPORT',
    message: `buildpack ${id} has a file named export, left by an earlier run; this build does not use it`,
  };
}

function notFound(id: string, path: string) {
  return fail('BUILDPACK_NOT_FOUND', {
    what: `there is no buildpack in ${id}`,
    why: `${path} is not a directory`,
    fix: 'check the path',
    details: { buildpack: id },
  });
}

function notABuildpack(id: string, missing: readonly string[], inBin: readonly string[], inRoot: readonly string[]) {
  const list = (names: readonly string[]) =>
    names.length === 0 ? 'nothing' : [...names].sort().slice(0, 12).join(', ');
  const found = inBin.length > 0 ? `bin/ holds ${list(inBin)}` : `it has no bin/; it holds ${list(inRoot)}`;
  return fail('BUILDPACK_INVALID', {
    what: `${id} has no ${missing.map((name) => `bin/${name}`).join(' and no ')}`,
    why: found,
    fix: 'name the directory that has bin/detect and bin/compile',
    details: { buildpack: id },
  });
}

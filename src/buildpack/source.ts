import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { fail, systemCode } from '../values/error.js';
import { type CopyTreeOptions, copyTree, machineFailure } from './copy-tree.js';
import { type Notice, quoted } from './notice.js';
import { readSourceFile } from './read-file.js';
import { parseSlugignore, type Slugignore } from './slugignore.js';
import { requireSourceSize } from './source-size.js';
import { hostPath, type Workspace } from './workspace.js';

export interface SourceOptions {
  /** Host paths that are not part of the source although they lie in it: an output, a cache, temporary directories. */
  readonly exclude?: readonly string[] | undefined;
  /** Refuse a source whose files have more. */
  readonly maxBytes?: number | undefined;
  /** Told of each file with its path in the tree, its copy, and what it was while it was copied. */
  readonly onFile?: CopyTreeOptions['onFile'];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies an app's source into BUILD_DIR: without `.git` at any depth (R26), without what its `.slugignore` names (R27,
 * R29) and without `pack-build.lock`, so that writing the lock changes no image. Modes become 0644 or 0755, links stay as
 * they are (R31), sockets, fifos and devices are left out with a notice. Throws `SOURCE_NOT_FOUND`, `SOURCE_INVALID`,
 * `SOURCE_TOO_LARGE`, `SLUGIGNORE_INVALID`, `INTERRUPTED`.
 */
export async function copySource(
  source: string,
  workspace: Workspace,
  options: SourceOptions = {},
): Promise<readonly Notice[]> {
  await requireDirectory(source);
  const slugignore = await readSlugignore(source);
  const notices = [...slugignore.notices];
  const excluded = new Set([workspace.hostDir, ...(options.exclude ?? [])].map((path) => resolve(path)));
  const leavesOut = (path: readonly string[], isDirectory: boolean) =>
    path.at(-1) === '.git' ||
    (path.length === 1 && path[0] === 'pack-build.lock') ||
    slugignore.ignores(path, isDirectory) ||
    excluded.has(resolve(source, ...path));
  const { maxBytes, onFile, signal } = options;
  const into = hostPath(workspace, workspace.buildDir);
  try {
    if (maxBytes !== undefined) await requireSourceSize(source, maxBytes, { leavesOut, signal });
    await copyTree(source, into, {
      leavesOut,
      modeOf: (mode, isDirectory) => (isDirectory || mode & 0o100 ? 0o755 : 0o644),
      onSpecial: (path) => notices.push(special(relative(source, path))),
      onFile,
      signal,
    });
  } catch (cause) {
    throw (await machineFailure(cause, into)) ?? explained(source, cause, signal);
  }
  return notices;
}

async function requireDirectory(source: string): Promise<void> {
  const found = await stat(source).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw fail('SOURCE_NOT_FOUND', {
    what: `there is no app in ${source}`,
    why: found === undefined ? 'it does not exist' : 'it is not a directory',
    fix: "name the app's directory: pack-build build DIR",
    details: { source },
  });
}

/** Only a file at the top counts (R29). */
async function readSlugignore(source: string): Promise<Slugignore> {
  return parseSlugignore((await readSourceFile(source, '.slugignore')) ?? new Uint8Array());
}

function special(path: string): Notice {
  return {
    code: 'SOURCE_SPECIAL_FILE',
    message: `${quoted(path, 300)} is a socket, a fifo or a device and is left out`,
  };
}

function explained(source: string, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return fail('INTERRUPTED', { what: `interrupted while ${source} was copied`, cause });
  const code = systemCode(cause);
  const absolute = (cause as NodeJS.ErrnoException).path;
  if (code === undefined || absolute === undefined) return cause;
  const path = relative(source, absolute);
  const isOdd = path.includes('\ufffd');
  return fail('SOURCE_INVALID', {
    what: `${quoted(path, 300)} in the app cannot be copied`,
    why: isOdd ? 'its name is not UTF-8' : reasonFor(code),
    fix: isOdd ? 'rename it, or name it in .slugignore with `*` in place of what is odd' : fixFor(code),
    details: { path, reason: code },
    cause,
  });
}

const CHANGED: readonly string[] = ['ELOOP', 'ENOENT', 'ENXIO'];

function reasonFor(code: string): string {
  return code === 'ELOOP' ? 'a link has taken its place' : `the system says ${code}`;
}

function fixFor(code: string): string {
  return CHANGED.includes(code)
    ? 'build again when nothing changes the app meanwhile'
    : 'make it readable, or name it in .slugignore';
}

import {
  type BigIntStats,
  chmodSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { diskFull } from '../system/staged.js';
import { systemCode } from '../values/error.js';
import { copyFile } from './copy-file.js';

export interface CopyTreeOptions {
  /** True for an entry that is left out, a directory with all it holds. `path` is relative, split at slashes. */
  readonly leavesOut?: ((path: readonly string[], isDirectory: boolean) => boolean) | undefined;
  /** The mode of the copy, from that of a file or directory. */
  readonly modeOf: (mode: number, isDirectory: boolean) => number;
  /** Told of sockets, fifos and devices, which are not copied. */
  readonly onSpecial?: ((path: string) => void) | undefined;
  /** Told of each file with its path in the tree, its copy, and what it was while it was copied. */
  readonly onFile?: ((path: string, copy: string, stat: BigIntStats) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies a tree into a directory, which is made if absent. Links are copied verbatim and never followed, hard links become
 * files. Modes are set without regard to the umask; times are those of the copy, or else a `make` over files from a cache
 * would take them for newer than a changed source. Synchronous calls, which for many small files are far faster; the
 * event loop gets a turn every few hundred entries. Throws what the file system throws.
 */
export async function copyTree(from: string, to: string, options: CopyTreeOptions): Promise<void> {
  const modes: [string, number][] = [];
  const pending: (readonly string[])[] = [[]];
  let count = 0;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const [source, target] = [[from, ...path].join('/'), [to, ...path].join('/')];
    mkdirSync(target, { recursive: path.length === 0 });
    modes.push([target, options.modeOf(lstatSync(source).mode, true)]);
    for (const entry of readdirSync(source, { withFileTypes: true })) {
      const inner = [...path, entry.name];
      if (options.leavesOut?.(inner, entry.isDirectory())) continue;
      if (entry.isDirectory()) pending.push(inner);
      else copyEntry(entry, inner, { from: `${source}/${entry.name}`, to: `${target}/${entry.name}` }, options);
      count += 1;
      if (count % 512 === 0) {
        await breathe();
        options.signal?.throwIfAborted();
      }
    }
  }
  // Last, for a directory may be one that not even its owner may write to.
  for (const [target, mode] of modes) chmodSync(target, mode);
}

function copyEntry(
  entry: Dirent,
  path: readonly string[],
  { from, to }: { readonly from: string; readonly to: string },
  { modeOf, onFile, onSpecial }: CopyTreeOptions,
): void {
  if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (entry.isFile()) {
    const stat = copyFile(from, to, (mode) => modeOf(mode, false));
    onFile?.(path.join('/'), to, stat);
  } else onSpecial?.(from);
}

/** The error for what is the fault of the machine, and neither of the tree nor of who wrote it; undefined for any other. */
export async function machineFailure(cause: unknown, to: string): Promise<unknown> {
  const code = systemCode(cause) ?? '';
  if (['ENOSPC', 'EDQUOT'].includes(code)) return diskFull(to, cause);
  return ['EROFS', 'EMFILE', 'ENFILE', 'EIO'].includes(code) ? cause : undefined;
}

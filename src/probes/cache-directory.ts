import { constants, copyFile, readFile, realpath, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { withTempDir } from '../system/tempdir.js';
import { type ErrorCode, isFailure, systemCode } from '../values/error.js';
import { doubtful, type Finding, fine, missing } from '../values/finding.js';
import { attempt } from './attempt.js';

const NAME = 'cache';
const ELSEWHERE = 'name another directory with --cache-dir or PACK_BUILD_CACHE_DIR';

/** A base to build on, packed and unpacked, and an app. */
const ROOM = 2_000_000_000;

/** What was seen of a directory. */
interface Seen {
  readonly fileSystem: string;
  readonly free: number;
  readonly reflinks: boolean;
  readonly executes: boolean;
}

/** Writes, copies and starts a file where the cache is, or will be, and removes it. Nothing else is made. */
export async function probeCacheDirectory(directory: string): Promise<Finding> {
  const path = resolve(directory);
  try {
    const existing = await nearest(path);
    const seen = await withTempDir('doctor', existing, (scratch) => look(scratch));
    return judge(path, seen);
  } catch (error) {
    if (isFailure(error, 'INTERRUPTED')) throw error;
    const why = systemCode(error) ?? String(error);
    return missing(NAME, codeFor(why), `${path} cannot be written to (${why})`, ELSEWHERE, { path });
  }
}

function codeFor(why: string): ErrorCode {
  return ['ENOSPC', 'EDQUOT'].includes(why) ? 'DISK_FULL' : 'STORE_FAILED';
}

function judge(path: string, seen: Seen): Finding {
  const details = { path, ...seen };
  const gigabytes = `${(seen.free / 1e9).toFixed(1)} GB free`;
  const found = `${path}: ${seen.fileSystem}, ${gigabytes}, ${seen.reflinks ? 'with' : 'without'} reflinks`;
  if (!seen.executes)
    return missing(
      NAME,
      'SANDBOX_FAILED',
      `${found}, but mounted noexec: no script could be started`,
      ELSEWHERE,
      details,
    );
  if (seen.free >= ROOM) return fine(NAME, found, details);
  return doubtful(
    NAME,
    `${found}, which may be too little`,
    `free ${(ROOM / 1e9).toFixed(0)} GB, try pack-build cache prune, or ${ELSEWHERE}`,
    details,
  );
}

async function look(scratch: string): Promise<Seen> {
  const script = join(scratch, 'script');
  await writeFile(script, '#!/bin/sh\nexit 0\n', { mode: 0o700 });
  const reflinks = await copyFile(script, join(scratch, 'copy'), constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  );
  const { ok: executes } = await attempt({ file: script, args: [] });
  const { bavail, bsize } = await statfs(scratch);
  return { fileSystem: await fileSystemOf(scratch), free: bavail * bsize, reflinks, executes };
}

/** The first directory above a path that is there. */
async function nearest(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' && dirname(path) !== path) return undefined;
    throw error;
  });
  return found === undefined ? nearest(dirname(path)) : path;
}

async function fileSystemOf(path: string): Promise<string> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return fileSystemIn(mountinfo, await realpath(path));
}

/** The kind of file system that a path is on, by a table of mounts: the last of the deepest mounts above it. */
export function fileSystemIn(mountinfo: string, path: string): string {
  let best = { depth: -1, kind: 'an unknown file system' };
  for (const line of mountinfo.split('\n')) {
    const [, , , , escaped = ''] = line.split(' ');
    const point = escaped.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    const kind = / - (\S+) /.exec(line)?.[1];
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`);
    if (kind !== undefined && isAbove && point.length >= best.depth) best = { depth: point.length, kind };
  }
  return best.kind;
}

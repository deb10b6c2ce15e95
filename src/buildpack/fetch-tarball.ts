import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDirectory } from '../archive/tar-directory.js';
import { integrityOf } from '../system/integrity.js';
import { runProcess } from '../system/process.js';
import { fail, isFailure } from '../values/error.js';
import { linesText } from './exit-text.js';

/** Buildpacks are small; this bounds what a damaged or hostile archive can make of the memory and the disk. */
const MAX_UNPACKED = 512 * 1024 * 1024;

export interface TarballOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks a tarball, plain or compressed with gzip, bzip2 or xz, into a directory that does not exist yet, and returns
 * the integrity of the file (R2, R9). The one top directory of archives that hosting sites make is taken away. Throws
 * `BUILDPACK_FETCH_FAILED`, `BUILDPACK_NOT_FOUND`, `TOOL_MISSING`, `INTERRUPTED`.
 */
export async function fetchTarball(id: string, path: string, into: string, options: TarballOptions): Promise<string> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) {
    throw fail('BUILDPACK_NOT_FOUND', {
      what: `there is no buildpack tarball ${id}`,
      why: found ? `${path} is a directory` : `${path} does not exist`,
      fix: 'check the path',
      details: { buildpack: id },
    });
  }
  const integrity = await integrityOf(createReadStream(path));
  await mkdir(into);
  try {
    await unpackDirectory(await bytesOf(path, options), into, { most: MAX_UNPACKED, signal: options.signal });
  } catch (error) {
    if (options.signal?.aborted)
      throw fail('INTERRUPTED', { what: `interrupted while ${id} was unpacked`, cause: error });
    if (!isFailure(error, 'ARCHIVE_INVALID')) throw error;
    throw fail('BUILDPACK_FETCH_FAILED', {
      what: `buildpack ${id} cannot be unpacked`,
      why: error.why,
      fix: `check that this works: tar -tf ${path}`,
      details: { buildpack: id },
      cause: error,
    });
  }
  await stripTopDirectory(into);
  return integrity;
}

async function bytesOf(path: string, options: TarballOptions): Promise<AsyncIterable<Uint8Array>> {
  const program = programFor(await firstBytes(path));
  if (program === undefined) return createReadStream(path);
  const result = await runProcess({ file: program, args: ['-dc', '--', path], maxCapture: MAX_UNPACKED, ...options });
  if (result.code === 0 && !result.truncated) return once(result.stdout);
  throw fail('ARCHIVE_INVALID', {
    what: `${path} cannot be unpacked`,
    why: result.truncated
      ? `it holds more than ${MAX_UNPACKED} bytes`
      : linesText(`${program} says:`, result.lastLines),
  });
}

/** What uncompresses a file, by its first bytes; gzip is read here. */
function programFor(head: Buffer): string | undefined {
  if (head.toString('latin1', 0, 3) === 'BZh') return 'bzip2';
  return head.toString('latin1', 0, 5) === '\xfd7zXZ' ? 'xz' : undefined;
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function stripTopDirectory(into: string): Promise<void> {
  const names = await readdir(into);
  const [top] = names;
  if (names.length !== 1 || top === undefined || top === 'bin') return;
  if (!(await lstat(join(into, top))).isDirectory()) return;
  const aside = `${into}.unpacked`;
  await rename(into, aside);
  await rename(join(aside, top), into);
  await rmdir(aside);
}

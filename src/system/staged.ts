import { type FileHandle, link, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, systemCode } from '../values/error.js';
import { ownedName } from './tempdir.js';

const STAGED = '.staged';

export type Bytes = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that it is either whole or absent, also after a crash: a temporary file beside it, fsync, rename, fsync
 * of the directory. A file that was there is replaced. When anything fails, nothing is left behind.
 * Throws `DISK_FULL`, and what the stream throws.
 */
export async function writeStaged(path: string, bytes: Bytes, mode = 0o644): Promise<void> {
  await writeStagedAs(dirname(path), bytes, () => basename(path), mode);
}

/**
 * Like `writeStaged`, for a file whose name in `directory` is known only when all its bytes have gone by. `size` is what the
 * file is to have, in bytes, where that is known.
 */
export async function writeStagedAs(
  directory: string,
  bytes: Bytes,
  nameOf: () => string | Promise<string>,
  mode = 0o644,
  size: number | undefined = bytes instanceof Uint8Array ? bytes.byteLength : undefined,
): Promise<void> {
  const staged = join(directory, await ownedName(STAGED));
  try {
    await writeAll(staged, bytes, mode);
    await rename(staged, join(directory, await nameOf()));
    await syncDirectory(directory);
  } catch (error) {
    // How much is free is asked before the staged file, which has filled the disk, goes.
    const explanation = await explained(error, directory, size);
    await removeStaged(staged);
    throw explanation;
  }
}

/**
 * Gives a file another name, in a directory that is made if absent, if the linked file passes. False where no link can be
 * made: on another file system, of somebody else's file, or one that did not pass.
 */
export async function linkStaged(
  file: string,
  path: string,
  passes: (linked: string) => Promise<boolean>,
): Promise<boolean> {
  const staged = join(dirname(path), await ownedName(STAGED));
  await makeDirectory(dirname(path));
  try {
    await link(file, staged);
    if (!(await passes(staged))) return false;
    await rename(staged, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOENT', 'ENOTSUP', 'ENOSYS'].includes(systemCode(error) ?? ''))
      return false;
    throw await explained(error, dirname(path), undefined);
  } finally {
    await removeStaged(staged);
  }
}

/** What went wrong is not to be hidden by what goes wrong after it: a name that stays is swept by the next command. */
async function removeStaged(staged: string): Promise<void> {
  await rm(staged, { force: true }).catch(() => undefined);
}

async function writeAll(path: string, bytes: Bytes, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    for await (const chunk of chunksOf(bytes)) await writeChunk(file, chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

function chunksOf(bytes: Bytes): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof bytes === 'string') return [Buffer.from(bytes)];
  return bytes instanceof Uint8Array ? [bytes] : bytes;
}

/** A write may take less than it was given. */
async function writeChunk(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    done += (await file.write(chunk, done, chunk.byteLength - done)).bytesWritten;
  }
}

/** Makes a directory and those above it that are missing, so that they are there after a crash too. The topmost that was made. */
export async function makeDirectory(path: string): Promise<string | undefined> {
  const top = await mkdir(path, { recursive: true });
  if (top === undefined) return undefined;
  for (let at = path; at.length >= top.length; at = dirname(at)) await syncDirectory(dirname(at));
  return top;
}

/** Makes the rename itself durable. Some file systems cannot sync a directory; then there is nothing to add. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

async function explained(error: unknown, directory: string, size: number | undefined): Promise<unknown> {
  const code = systemCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return diskFull(directory, error, size);
}

/**
 * The error for a file system without room. `directory` is where something was to be written, if that is known; `needed` the
 * number of bytes.
 */
export async function diskFull(directory: string | undefined, cause: unknown, needed?: number): Promise<unknown> {
  const free = directory === undefined ? undefined : await freeAt(directory);
  const facts = [needed === undefined ? [] : `needed ${needed} bytes`, free === undefined ? [] : `free ${free} bytes`];
  const quota = systemCode(cause) === 'EDQUOT';
  return fail('DISK_FULL', {
    what: `there is no room left${directory === undefined ? '' : ` to write in ${directory}`}`,
    why: [quota ? 'the disk quota is used up' : 'the file system is full', ...facts.flat()].join('; '),
    fix: 'free some space there, or name a directory on another file system with --cache-dir or TMPDIR',
    details: { directory: directory ?? null, neededBytes: needed ?? null, freeBytes: free ?? null },
    cause,
  });
}

/** Where there is nothing yet, or nothing any more, the directory above tells. */
async function freeAt(directory: string): Promise<number | undefined> {
  for (let at = directory; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => undefined);
    if (found !== undefined) return found.bavail * found.bsize;
    if (at === dirname(at)) return undefined;
  }
}

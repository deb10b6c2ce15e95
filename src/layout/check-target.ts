import { constants, createReadStream } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { decompress } from '../archive/decompress.js';
import { IMAGE_ARCHIVE } from '../archive/tar-profile.js';
import { readTar } from '../archive/tar-read.js';
import { exists } from '../system/exists.js';
import { fail, isFailure, systemCode } from '../values/error.js';

/** Files that every archive with an image has one of. */
const MARKS: readonly string[] = ['manifest.json', 'oci-layout'];

/**
 * Checks that an archive may be written to a path: what is replaced there is an archive with an image, or empty, never
 * anything else. Makes nothing. Throws `LAYOUT_INVALID`, `STORE_FAILED`.
 */
export async function checkArchiveTarget(path: string): Promise<void> {
  if (await exists(path)) {
    const found = await stat(path);
    if (!found.isFile()) throw occupied(path, 'it is not a regular file');
    if (found.size > 0 && !(await isImageArchive(path)))
      throw occupied(path, `it is not an archive with ${MARKS.join(' or ')} in it`);
  }
  await checkWritable(dirname(resolve(path)));
}

/**
 * Checks that files can be made in a directory, or the directory itself where there is none yet. Makes nothing. Throws
 * `STORE_FAILED` with the directory that is in the way.
 */
export async function checkWritable(directory: string): Promise<void> {
  const nearest = await nearestExisting(directory);
  try {
    if (!(await stat(nearest)).isDirectory()) throw unusable(nearest, 'it is not a directory');
    await access(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (isFailure(error)) throw error;
    throw unusable(nearest, error instanceof Error ? error.message : String(error), error);
  }
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const isThere = await lstat(at).then(
      () => true,
      (error: unknown) => !['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? ''),
    );
    if (isThere || at === dirname(at)) return at;
  }
}

async function isImageArchive(path: string): Promise<boolean> {
  try {
    const bytes = decompress(createReadStream(path, { highWaterMark: 1 << 20 }));
    for await (const { entry } of readTar(bytes, IMAGE_ARCHIVE)) {
      if (MARKS.includes(entry.path)) return true;
    }
    return false;
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

function occupied(path: string, why: string) {
  return fail('LAYOUT_INVALID', {
    what: `${path} is there already, and is not replaced by an image`,
    why,
    fix: 'name another file, or remove that one first',
  });
}

function unusable(directory: string, why: string, cause?: unknown) {
  return fail('STORE_FAILED', {
    what: `nothing can be written in ${directory}`,
    why,
    fix: 'give yourself the right to write there, or name another place',
    cause,
  });
}

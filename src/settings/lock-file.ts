import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeStaged } from '../system/staged.js';
import { type Digest, parseDigest } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import { fail, isFailure, systemCode } from '../values/error.js';
import { asObject, asSize, asString, type Located, member, optional, parseJson } from '../values/json.js';

export const LOCK_FILE = 'pack-build.lock';

/** What references stood for when they were first resolved: `pack-build.lock`, kept beside the app's source. */
export interface Lock {
  /** A base, as `lockNameOf` calls it, to the digest of its image. */
  readonly bases: Readonly<Record<string, Digest>>;
  /** A buildpack, as the user wrote it, to its git commit or SRI string. */
  readonly buildpacks: Readonly<Record<string, string>>;
}

export const EMPTY_LOCK: Lock = { bases: {}, buildpacks: {} };

/** Reads the lock of an app; an empty one if there is none. Throws `LOCK_INVALID`. */
export async function readLock(directory: string): Promise<Lock> {
  const bytes = await readFile(join(directory, LOCK_FILE)).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  return bytes === undefined ? EMPTY_LOCK : parseLock(bytes);
}

/** Writes the lock, whole or not at all. */
export async function writeLock(directory: string, lock: Lock): Promise<void> {
  await writeStaged(join(directory, LOCK_FILE), Buffer.from(formatLock(lock)));
}

/** The text of a lock: sorted, one entry a line, so that changes read well in a diff. */
export function formatLock({ bases, buildpacks }: Lock): string {
  return `${JSON.stringify({ version: 1, bases: sorted(bases), buildpacks: sorted(buildpacks) }, undefined, 2)}\n`;
}

/** Reads the text of a lock. Throws `LOCK_INVALID`. */
export function parseLock(bytes: Uint8Array): Lock {
  try {
    const root = parseJson(bytes, LOCK_FILE, 'LOCK_INVALID');
    const version = asSize(member(root, 'version'));
    if (version !== 1)
      throw fail('LOCK_INVALID', {
        what: `${LOCK_FILE} has version ${version}; this pack-build reads version 1`,
        fix: `use a newer pack-build, or delete ${LOCK_FILE} to resolve everything anew`,
      });
    return {
      bases: mapOf(optional(member(root, 'bases'), keep), (at) => parseDigest(at.value)),
      buildpacks: mapOf(optional(member(root, 'buildpacks'), keep), asString),
    };
  } catch (error) {
    if (!isFailure(error, 'LOCK_INVALID', 'DIGEST_INVALID')) throw error;
    throw fail('LOCK_INVALID', {
      what: error.code === 'LOCK_INVALID' ? error.message : `${LOCK_FILE} cannot be read: ${error.message}`,
      why: error.why,
      fix: error.fix ?? `correct the entry, or delete ${LOCK_FILE} to resolve everything anew`,
      cause: error,
    });
  }
}

/** True when two locks pin the same things. */
export function sameLock(a: Lock, b: Lock): boolean {
  return canonicalJson({ ...a }) === canonicalJson({ ...b });
}

function mapOf<T>(at: Located | undefined, read: (located: Located) => T): Readonly<Record<string, T>> {
  if (at === undefined) return {};
  return Object.fromEntries(Object.keys(asObject(at)).map((key) => [key, read(member(at, key))]));
}

function keep(located: Located): Located {
  return located;
}

function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

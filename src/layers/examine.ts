import { crc32 } from 'node:zlib';
import type { TarEntry } from '../archive/tar-entry.js';
import type { Packages } from '../oci/package-delta.js';
import { readElf } from './elf.js';
import { packageReaderOf } from './package-database.js';

/** What is worth knowing of a file's bytes without keeping them. */
export interface FileFacts {
  /** Tells whether two files differ, not that they are the same on purpose: a CRC-32. */
  readonly crc: number;
  /** Versions of symbols that a shared library has; absent for all else, and for a library without any. */
  readonly versions?: readonly string[] | undefined;
  /** Of a package database, what it lists. */
  readonly packages?: Packages | undefined;
}

/** Looks at a file's bytes while they pass. */
export interface Examiner {
  data(bytes: Uint8Array): void;
  /** Once all bytes have passed. */
  facts(): FileFacts;
}

/** Larger files are no library that a base has, and no list that anyone reads. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Undefined for all but files. */
export function examine(entry: TarEntry): Examiner | undefined {
  if (entry.type !== 'file') return undefined;
  const look = entry.size > MAX_BYTES ? undefined : lookerFor(entry.path);
  const chunks: Uint8Array[] = [];
  let crc = 0;
  return {
    data: (bytes) => {
      crc = crc32(bytes, crc);
      if (look !== undefined) chunks.push(Buffer.from(bytes));
    },
    facts: () => ({ crc, ...look?.(Buffer.concat(chunks)) }),
  };
}

const LIBRARY = /(^|\/)[^/]+\.so(\.[^/]*)?$/;

function lookerFor(path: string): ((bytes: Buffer) => Omit<FileFacts, 'crc'>) | undefined {
  const readPackages = packageReaderOf(path);
  if (readPackages !== undefined) return (bytes) => ({ packages: readPackages(bytes.toString()) });
  return LIBRARY.test(path) ? (bytes) => versionsIn(bytes) : undefined;
}

function versionsIn(bytes: Buffer): Omit<FileFacts, 'crc'> {
  const versions = readElf((offset, length) => bytes.subarray(offset, offset + length))?.versions ?? [];
  return versions.length === 0 ? {} : { versions };
}

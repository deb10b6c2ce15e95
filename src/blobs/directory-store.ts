import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linkStaged, makeDirectory, writeStaged, writeStagedAs } from '../system/staged.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, hexOf } from '../values/digest.js';
import { fail, systemCode } from '../values/error.js';
import type { BlobStore, Notes } from './store.js';
import { collect, type Tally, tally, verified } from './verified.js';

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const CHUNK = 1024 * 1024;

/**
 * Blobs as files `ROOT/sha256/HEX`, as in an OCI layout's `blobs` directory (image-spec, image-layout.md).
 * A blob's name appears only when its bytes are complete and on the disk. Any number of processes may use it at once.
 */
export function directoryStore(root: string): BlobStore {
  const fileOf = (digest: Digest): string => join(root, 'sha256', hexOf(digest));
  return {
    has: (digest) => isBlob(fileOf(digest)),
    stream: (descriptor) =>
      verified(readBlob(fileOf(descriptor.digest), descriptor), descriptor, fileOf(descriptor.digest)),
    read: (descriptor) =>
      collect(
        verified(readBlob(fileOf(descriptor.digest), descriptor), descriptor, fileOf(descriptor.digest)),
        descriptor,
      ),
    async write(descriptor, bytes) {
      if (await isBlob(fileOf(descriptor.digest), descriptor.size)) return;
      await ingest(root, bytes, descriptor);
    },
    ingest: (bytes) => ingest(root, bytes),
    fileOf: async ({ digest }) => fileOf(digest),
    share: (descriptor, file) => share(root, descriptor, file),
    notes: notesIn(join(root, 'notes')),
  };
}

function notesIn(directory: string): Notes {
  const fileOf = (name: string) => join(directory, `${name}.json`);
  return {
    read: (name) => readFile(fileOf(name), 'utf8').catch(() => undefined),
    async write(name, text) {
      await makeDirectory(directory);
      await writeStaged(fileOf(name), text);
    },
  };
}

async function isBlob(file: string, size?: number): Promise<boolean> {
  try {
    const stat = await lstat(file);
    return stat.isFile() && (size === undefined || stat.size === size);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function* readBlob(file: string, { digest }: Descriptor): AsyncGenerator<Uint8Array> {
  const handle = await openBlob(file, digest);
  try {
    yield* chunksOf(handle);
  } finally {
    await handle.close();
  }
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openBlob(file: string, digest: Digest): Promise<FileHandle> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw fail('BLOB_NOT_FOUND', {
        what: `there is no blob ${digest}`,
        why: `${file} does not exist`,
        details: { digest, file },
      });
    }
    if (systemCode(error) !== 'ELOOP') throw error;
  }
  throw fail('STORE_FAILED', {
    what: `${file} is not a plain file`,
    why: 'a blob is never a link or a directory',
    fix: `rm -r ${file}`,
  });
}

async function ingest(root: string, bytes: Bytes, expected?: Descriptor) {
  const directory = join(root, 'sha256');
  const seen = tally(expected, 'the source');
  let found: ReturnType<Tally['end']> | undefined;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      seen.add(chunk);
      yield chunk;
    }
    found = seen.end();
  }
  await makeDirectory(directory);
  await writeStagedAs(directory, counted(), () => hexOf(found?.digest as Digest), 0o444, expected?.size);
  return found as ReturnType<Tally['end']>;
}

/**
 * A hard link: nobody writes to a blob in place, and all who read one verify it. What is verified here is the very file that
 * is linked, whatever happens to its name meanwhile; it is synced, for whoever wrote it may not have done so.
 */
async function share(root: string, descriptor: Descriptor, file: string): Promise<boolean> {
  const handle = await openBlob(file, descriptor.digest);
  try {
    const seen = tally(descriptor, file);
    for await (const chunk of chunksOf(handle)) seen.add(chunk);
    seen.end();
    await handle.sync();
    const { dev, ino } = await handle.stat();
    const isSame = async (linked: string) => {
      const stat = await lstat(linked);
      return stat.dev === dev && stat.ino === ino;
    };
    return await linkStaged(file, join(root, 'sha256', hexOf(descriptor.digest)), isSame);
  } finally {
    await handle.close();
  }
}

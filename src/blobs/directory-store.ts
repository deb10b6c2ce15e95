import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { readSmall } from '../system/read-small.js';
import { makeWay } from '../system/remove.js';
import { linkStaged, makeDirectory, writeStaged, writeStagedAs } from '../system/staged.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, hexOf } from '../values/digest.js';
import { fail, systemCode } from '../values/error.js';
import type { BlobStore, Notes } from './store.js';
import { collect, type Tally, tally, verified } from './verified.js';

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const CHUNK = 1024 * 1024;

/** Who is told before something in a store is looked for or appears: a blob by the hex of its digest, a note by its name. */
export interface StoreUse {
  readonly use: (hex: string) => Promise<void>;
  readonly useNote: (name: string) => Promise<void>;
}

const nobody: StoreUse = { use: async () => undefined, useNote: async () => undefined };

/**
 * Blobs as files `ROOT/sha256/HEX`, as in an OCI layout's `blobs` directory (image-spec, image-layout.md).
 * A blob's name appears only when its bytes are complete and on the disk. Any number of processes may use it at once.
 */
export function directoryStore(root: string, using: StoreUse = nobody): BlobStore {
  const fileOf = (digest: Digest): string => join(root, 'sha256', hexOf(digest));
  const used = async (digest: Digest): Promise<string> => {
    await using.use(hexOf(digest));
    return fileOf(digest);
  };
  async function* stream(descriptor: Descriptor): AsyncGenerator<Uint8Array> {
    const file = await used(descriptor.digest);
    yield* verified(readBlob(file, descriptor), descriptor, file);
  }
  return {
    has: async (digest) => isBlob(await used(digest)),
    stream,
    read: (descriptor) => collect(stream(descriptor), descriptor),
    async write(descriptor, bytes) {
      if (await isBlob(await used(descriptor.digest), descriptor.size)) return;
      await ingest(root, bytes, using, descriptor);
    },
    ingest: (bytes) => ingest(root, bytes, using),
    fileOf: async ({ digest }) => used(digest),
    share: async (descriptor, file) => share(await used(descriptor.digest), descriptor, file),
    notes: notesIn(join(root, 'notes'), using),
  };
}

function notesIn(directory: string, { useNote }: StoreUse): Notes {
  const fileOf = async (name: string) => {
    await useNote(name);
    return join(directory, `${name}.json`);
  };
  return {
    read: async (name) => readSmall(await fileOf(name)),
    async write(name, text) {
      await makeDirectory(directory);
      const file = await fileOf(name);
      await makeWay(file);
      await writeStaged(file, text);
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

async function ingest(root: string, bytes: Bytes, { use }: StoreUse, expected?: Descriptor) {
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
  const nameOf = async () => {
    const name = hexOf(found?.digest as Digest);
    await use(name);
    await makeWay(join(directory, name));
    return name;
  };
  await writeStagedAs(directory, counted(), nameOf, 0o444, expected?.size);
  return found as ReturnType<Tally['end']>;
}

/**
 * A hard link: nobody writes to a blob in place, and all who read one verify it. What is verified here is the very file that
 * is linked, whatever happens to its name meanwhile; it is synced, for whoever wrote it may not have done so.
 */
async function share(shared: string, descriptor: Descriptor, file: string): Promise<boolean> {
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
    return await linkStaged(file, shared, isSame);
  } finally {
    await handle.close();
  }
}

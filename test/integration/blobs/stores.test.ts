import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import type { Descriptor } from '../../../src/values/descriptor.js';
import { digestOf, hexOf } from '../../../src/values/digest.js';
import { bytesOf, inChunks } from '../../support/tar.js';

const text = Buffer.from('the bytes of a blob. '.repeat(100_000));
const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('blobs', undefined, work);
const describing = (bytes: Uint8Array): Descriptor => ({
  mediaType: 'x',
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

describe.each<readonly [string, <T>(work: (store: BlobStore) => Promise<T>) => Promise<T>]>([
  ['directoryStore', (work) => inTemp((dir) => work(directoryStore(dir)))],
  ['memoryStore', (work) => work(memoryStore())],
])('%s', (_, withStore) => {
  it('gives back what it was given, told the digest or not', () =>
    withStore(async (store) => {
      const blob = describing(text);
      expect(await store.has(blob.digest)).toBe(false);
      expect(await store.ingest(inChunks(text, 10_000))).toEqual({ digest: blob.digest, size: blob.size });
      expect(await store.has(blob.digest)).toBe(true);
      expect((await bytesOf(store.stream(blob))).equals(text)).toBe(true);
      expect(Buffer.from(await store.read(blob)).equals(text)).toBe(true);
      const other = Buffer.from('{}');
      await store.write(describing(other), [other]);
      await store.write(describing(other), [other]);
      expect(Buffer.from(await store.read(describing(other))).toString()).toBe('{}');
    }));

  it('keeps an empty blob', () =>
    withStore(async (store) => {
      const blob = describing(Buffer.alloc(0));
      await store.ingest(inChunks(Buffer.alloc(0)));
      expect((await store.read(blob)).byteLength).toBe(0);
    }));

  it.each([
    ['too few bytes', text.subarray(1)],
    ['too many bytes', Buffer.concat([text, text])],
    ['other bytes', Buffer.concat([text.subarray(1), Buffer.from('x')])],
  ])('refuses %s and keeps nothing', (__, lie) =>
    withStore(async (store) => {
      await expect(store.write(describing(text), inChunks(lie, 5000))).rejects.toMatchObject({
        code: 'DIGEST_MISMATCH',
      });
      expect(await store.has(digestOf(text))).toBe(false);
      expect(await store.has(digestOf(lie))).toBe(false);
    }),
  );

  it('does not know what it was not given', () =>
    withStore(async (store) => {
      await expect(store.read(describing(text))).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      await expect(bytesOf(store.stream(describing(text)))).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    }));

  it('reads no document beyond 4 MiB at once', () =>
    withStore(async (store) => {
      const large = Buffer.alloc(4 * 1024 * 1024 + 1);
      await store.ingest(inChunks(large));
      await expect(store.read(describing(large))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    }));
});

describe('directoryStore', () => {
  const fileOf = (dir: string, bytes: Uint8Array) => join(dir, 'sha256', hexOf(digestOf(bytes)));

  it('has blobs as read-only files named by their digest, as an OCI layout does', () =>
    inTemp(async (dir) => {
      await directoryStore(dir).ingest(inChunks(text));
      expect(readdirSync(join(dir, 'sha256'))).toEqual([hexOf(digestOf(text))]);
      expect(lstatSync(fileOf(dir, text)).mode & 0o222).toBe(0);
    }));

  it('FLT-2 leaves nothing when the source fails', () =>
    inTemp(async (dir) => {
      const failing = async function* () {
        yield text;
        throw new Error('the source is gone');
      };
      await expect(directoryStore(dir).ingest(failing())).rejects.toThrow('the source is gone');
      expect(readdirSync(join(dir, 'sha256'))).toEqual([]);
    }));

  it.each([
    ['cut off', text.subarray(0, 100)],
    ['longer', Buffer.concat([text, text])],
    ['changed', Buffer.concat([text.subarray(1), Buffer.from('x')])],
    ['empty', Buffer.alloc(0)],
  ])('FLT-8 never gives out a blob that is %s, and names the file', (_, damaged) =>
    inTemp(async (dir) => {
      await directoryStore(dir).ingest(inChunks(text));
      chmodSync(fileOf(dir, text), 0o644);
      writeFileSync(fileOf(dir, text), damaged);
      const error = { code: 'DIGEST_MISMATCH', message: expect.stringContaining(fileOf(dir, text)) };
      await expect(directoryStore(dir).read(describing(text))).rejects.toMatchObject(error);
      let given = 0;
      const reading = async () => {
        for await (const chunk of directoryStore(dir).stream(describing(text))) given += chunk.byteLength;
      };
      await expect(reading()).rejects.toMatchObject(error);
      expect(given).toBeLessThan(text.byteLength);
    }),
  );

  it.each([
    ['a link', (file: string) => symlinkSync('/etc/passwd', file)],
    ['a directory', (file: string) => mkdirSync(file)],
  ])('FLT-8 takes %s for no blob', (_, make) =>
    inTemp(async (dir) => {
      mkdirSync(join(dir, 'sha256'));
      make(fileOf(dir, text));
      expect(await directoryStore(dir).has(digestOf(text))).toBe(false);
      await expect(directoryStore(dir).read(describing(text))).rejects.toMatchObject({ code: 'STORE_FAILED' });
    }),
  );

  it('takes the same blob from many at once', () =>
    inTemp(async (dir) => {
      const store = directoryStore(dir);
      await Promise.all(Array.from({ length: 8 }, () => store.ingest(inChunks(text, 50_000))));
      expect(readdirSync(join(dir, 'sha256'))).toHaveLength(1);
      rmSync(fileOf(dir, text));
      expect(await store.has(digestOf(text))).toBe(false);
    }));

  it('shares the file of another store on the same file system', () =>
    inTemp(async (dir) => {
      const [from, to] = [join(dir, 'from'), join(dir, 'to')];
      await directoryStore(from).ingest(inChunks(text));
      const file = (await directoryStore(from).fileOf?.(describing(text))) as string;
      expect(await directoryStore(to).share?.(describing(text), file)).toBe(true);
      expect(await directoryStore(to).share?.(describing(text), file)).toBe(true);
      expect(lstatSync(fileOf(to, text)).ino).toBe(lstatSync(file).ino);
      expect(readdirSync(join(to, 'sha256'))).toEqual([hexOf(digestOf(text))]);
    }));

  it('FLT-8 shares no damaged file, and leaves nothing', () =>
    inTemp(async (dir) => {
      const [from, to] = [join(dir, 'from'), join(dir, 'to')];
      mkdirSync(join(from, 'sha256'), { recursive: true });
      writeFileSync(fileOf(from, text), text.subarray(1));
      const sharing = directoryStore(to).share?.(describing(text), fileOf(from, text));
      await expect(sharing).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
      expect(await directoryStore(to).has(digestOf(text))).toBe(false);
    }));

  it('shares nothing across file systems', () =>
    inTemp(async (dir) => {
      await withTempDir('blobs', '/dev/shm', async (elsewhere) => {
        await directoryStore(elsewhere).ingest(inChunks(text));
        expect(lstatSync(elsewhere).dev).not.toBe(lstatSync(dir).dev);
        expect(await directoryStore(dir).share?.(describing(text), fileOf(elsewhere, text))).toBe(false);
        expect(readdirSync(join(dir, 'sha256'))).toEqual([]);
      });
    }));
});

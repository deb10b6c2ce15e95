import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as tarStream from 'tar-stream';
import type { TarEntry } from '../../../src/archive/tar-entry.js';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { writeTar } from '../../../src/archive/tar-write.js';
import { isFailure } from '../../../src/values/error.js';
import { bytesOf, inChunks, readAll } from '../../support/tar.js';

const file = (path: string, size: number): TarEntry => ({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size });
const two = () =>
  bytesOf(
    writeTar([
      [file('a', 700), Buffer.alloc(700, 'a')],
      [file('b', 3), Buffer.from('bbb')],
    ]),
  );

/** A tar as another writer makes it, with whatever names and pax records. */
async function foreign(
  ...headers: readonly (tarStream.Header extends infer H ? Partial<H> & { name: string } : never)[]
): Promise<Buffer> {
  const pack = tarStream.pack();
  for (const header of headers) pack.entry(header, '');
  pack.finalize();
  return await bytesOf(pack as AsyncIterable<Uint8Array>);
}

const read = (bytes: Uint8Array, chunk = 100) => readAll(readTar(inChunks(bytes, chunk), LAYER));

describe('readTar', () => {
  it('reads in chunks of any size', async () => {
    const bytes = await two();
    for (const chunk of [1, 511, 512, 513, 100_000]) {
      const entries = await read(bytes, chunk);
      expect(entries.map(({ entry, content }) => [entry.path, content.byteLength])).toEqual([
        ['a', 700],
        ['b', 3],
      ]);
    }
  });

  it('goes on to the next entry when a content is left unread, in part or in whole', async () => {
    const bytes = await two();
    const paths: string[] = [];
    for await (const { entry, content } of readTar(inChunks(bytes, 10), LAYER)) {
      paths.push(entry.path);
      for await (const _ of content) break;
    }
    for await (const { entry } of readTar(inChunks(bytes, 10), LAYER)) paths.push(entry.path);
    expect(paths).toEqual(['a', 'b', 'a', 'b']);
  });

  it('closes its source when nobody reads on', async () => {
    let closed = false;
    const bytes = await two();
    const source = async function* () {
      try {
        yield* inChunks(bytes, 100);
        await new Promise(() => {});
      } finally {
        closed = true;
      }
    };
    for await (const _ of readTar(source(), LAYER)) break;
    for (let n = 0; n < 10; n += 1) await new Promise(setImmediate);
    expect(closed).toBe(true);
  });

  it('tells where each content is', async () => {
    const bytes = await two();
    for await (const { entry, offset } of readTar(inChunks(bytes), LAYER)) {
      expect(bytes.subarray(offset, offset + 3).toString()).toBe(entry.path.repeat(3));
    }
  });

  it.each([
    ['./a/b', 'a/b'],
    ['/a//b/', 'a/b'],
    ['a/./b', 'a/b'],
    ['./', ''],
    ['/', ''],
  ])('knows %s as %j', async (name, path) => {
    const [found] = await read(await foreign({ name, type: 'directory' }));
    expect(found?.entry.path).toBe(path);
  });

  it('TAR-28 applies owners and times of pax records', async () => {
    const [found] = await read(await foreign({ name: 'a', pax: { uid: '3000000', gid: '4000000', mtime: '12.5' } }));
    expect([found?.entry.uid, found?.entry.gid, found?.mtime]).toEqual([3_000_000, 4_000_000, 12.5]);
  });

  it('TAR-14 takes records named like built-in properties for unknown ones', async () => {
    const [found] = await read(
      await foreign({ name: 'a', pax: JSON.parse('{"__proto__":"1","constructor":"2"}') as object }),
    );
    expect(found?.entry.path).toBe('a');
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });

  it.each([
    ['TAR-1 a name that leads out', { name: '../x' }],
    ['TAR-1 a hard link that leads out', { name: 'x', type: 'link' as const, linkname: '../../etc/passwd' }],
    ['TAR-22 a NUL in a name', { name: 'a', pax: { path: 'a\0b' } }],
    ['TAR-22 a long part of a name', { name: 'a'.repeat(256) }],
    ['TAR-22 a deep name', { name: Array.from({ length: 300 }, () => 'a').join('/') }],
    ['TAR-16 a sparse file', { name: 'a', pax: { 'GNU.sparse.major': '1' } }],
    ['TAR-28 a negative owner', { name: 'a', pax: { uid: '-1' } }],
  ])('refuses %s', async (_, header) => {
    await expect(foreign(header).then((bytes) => read(bytes))).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('TAR-22 refuses a name that is not UTF-8', async () => {
    const bytes = await bytesOf(writeTar([[file('aX', 0)]]));
    bytes[1] = 0xff;
    bytes.write(`${(0o7777777).toString(8)}`, 148);
    const sum = [...bytes.subarray(0, 512)].reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      why: expect.stringContaining('not UTF-8'),
    });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('this is not a tar archive. '.repeat(100))],
    ['a piece of a block', Buffer.alloc(100)],
  ])('refuses %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('TAR-17 refuses a tar that was cut off, wherever', async () => {
    const bytes = await two();
    for (let length = 1; length < bytes.byteLength; length += 7) {
      await expect(read(bytes.subarray(0, length), 4096)).rejects.toMatchObject({
        code: 'ARCHIVE_INVALID',
        details: { rule: 'truncated' },
      });
    }
  });

  it('throws its own error or none, whatever the bytes', async () => {
    const bytes = await two();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.byteLength - 1), fc.nat(255), async (at, value) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        const outcome = await read(damaged).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || isFailure(outcome, 'ARCHIVE_INVALID')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('passes on an error of its source', async () => {
    const bytes = await two();
    const failing = async function* () {
      yield bytes.subarray(0, 600);
      throw new Error('the disk is gone');
    };
    await expect(readAll(readTar(failing(), LAYER))).rejects.toThrow('the disk is gone');
  });
});

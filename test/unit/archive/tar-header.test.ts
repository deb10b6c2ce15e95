import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as tarStream from 'tar-stream';
import type { TarEntry } from '../../../src/archive/tar-entry.js';
import { encodeHeader, LAYER_MTIME } from '../../../src/archive/tar-header.js';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { compareNames, writeTar } from '../../../src/archive/tar-write.js';
import { bytesOf, readAll } from '../../support/tar.js';

const part = fc.stringMatching(/^[A-Za-z0-9_@+.-]{1,60}$/).filter((name) => name !== '.' && name !== '..');
const unicodePart = fc
  .string({ minLength: 1, maxLength: 60, unit: 'binary' })
  .filter((name) => name.isWellFormed() && !/[/\0\ufffd]/.test(name) && name !== '.' && name !== '..');
const pathOf = (one: fc.Arbitrary<string>) =>
  fc.array(one, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));
const mode = fc.integer({ min: 0, max: 0o7777 });

function anyEntry(path: fc.Arbitrary<string>, maxId: number): fc.Arbitrary<TarEntry> {
  const owner = { mode, uid: fc.integer({ min: 0, max: maxId }), gid: fc.integer({ min: 0, max: maxId }) };
  const linkName = path.filter((name) => Buffer.byteLength(name) > 0);
  return fc.oneof(
    fc.record({ path, ...owner, type: fc.constant('file' as const), size: fc.integer({ min: 0, max: 2 ** 33 - 1 }) }),
    fc.record({ path, ...owner, type: fc.constant('directory' as const), size: fc.constant(0) }),
    fc.record({
      path,
      ...owner,
      type: fc.constantFrom('symlink' as const, 'link' as const),
      size: fc.constant(0),
      linkName,
    }),
    fc.record({ path, ...owner, type: fc.constant('fifo' as const), size: fc.constant(0) }),
  );
}

/** The header tar-stream writes: an encoder of another author. */
function oracle(entry: TarEntry): Promise<Buffer> {
  const pack = tarStream.pack();
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const { linkName, path: _path, size, devMajor: _major, devMinor: _minor, ...rest } = entry;
  const header = {
    ...rest,
    name,
    mtime: new Date(LAYER_MTIME * 1000),
    ...(linkName === undefined ? {} : { linkname: linkName }),
  };
  const sink = pack.entry(size === 0 ? header : { ...header, size }, () => {});
  sink.on('error', () => {});
  return new Promise((resolve) => {
    pack.once('data', (chunk) => {
      resolve(chunk as Buffer);
      pack.on('error', () => {});
      pack.destroy();
    });
  });
}

describe('encodeHeader', () => {
  it('writes the same block as another encoder wherever ustar can hold the entry', async () => {
    const inUstar = anyEntry(pathOf(part), 0o777777).filter(
      (entry) => encodeHeader(entry).byteLength === 512 && entry.mode !== 0,
    );
    await fc.assert(
      fc.asyncProperty(inUstar, async (entry) => {
        expect(encodeHeader(entry).toString('latin1')).toBe((await oracle(entry)).toString('latin1'));
      }),
    );
  });

  it('writes a pax header only for what ustar cannot hold', () => {
    const entry: TarEntry = { path: 'app/x', type: 'file', mode: 0o644, uid: 1000, gid: 1000, size: 0 };
    const one = (change: Partial<TarEntry>) => encodeHeader({ ...entry, ...change }).byteLength === 512;
    expect(one({})).toBe(true);
    expect(one({ path: 'a'.repeat(100) })).toBe(true);
    expect(one({ path: `${'a'.repeat(155)}/${'b'.repeat(100)}` })).toBe(true);
    expect(one({ size: 2 ** 33 - 1, uid: 0o7777777, gid: 0o7777777 })).toBe(true);
    expect(one({ path: 'a'.repeat(101) })).toBe(false);
    expect(one({ path: `${'a'.repeat(156)}/b` })).toBe(false);
    expect(one({ path: 'é' })).toBe(false);
    expect(one({ size: 2 ** 33 })).toBe(false);
    expect(one({ uid: 0o7777777 + 1 })).toBe(false);
    expect(one({ type: 'symlink', linkName: 'l'.repeat(101) })).toBe(false);
    expect(one({ type: 'directory', path: 'd'.repeat(100) })).toBe(false);
  });
});

describe('writeTar and readTar', () => {
  it('R95 keeps every entry, also with long and non-ASCII names and large owners', async () => {
    const entries = fc.array(
      anyEntry(pathOf(unicodePart), 2 ** 31).map((entry) =>
        entry.type === 'file' ? { ...entry, size: entry.size % 3000 } : entry,
      ),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(entries, async (written) => {
        const parts = written.map((entry) => [entry, new Uint8Array(entry.size).fill(7)] as const);
        const read = await readAll(readTar(writeTar(parts), LAYER));
        expect(read.map(({ entry }) => entry)).toEqual(written);
        expect(read.every(({ mtime }) => mtime === LAYER_MTIME)).toBe(true);
        expect(read.map(({ content }) => content.byteLength)).toEqual(written.map(({ size }) => size));
      }),
    );
  });

  it('ends with two zero blocks and nothing more', async () => {
    const bytes = await bytesOf(
      writeTar([[{ path: 'a', type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1 }, Buffer.from('x')]]),
    );
    expect(bytes.byteLength).toBe(512 + 512 + 1024);
  });
});

describe('compareNames', () => {
  it('orders as the UTF-8 bytes do', () => {
    const name = fc.string({ unit: 'binary', maxLength: 6 }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

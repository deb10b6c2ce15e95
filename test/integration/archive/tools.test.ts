import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { decompress } from '../../../src/archive/decompress.js';
import { gzip } from '../../../src/archive/gzip.js';
import { unpackDirectory } from '../../../src/archive/tar-directory.js';
import type { TarEntry } from '../../../src/archive/tar-entry.js';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { writeTar } from '../../../src/archive/tar-write.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { fail } from '../../../src/values/error.js';
import { directory, file, layer, link, listing, type Part, special, symlink } from '../../support/layer-tar.js';
import { bytesOf, inChunks, readAll } from '../../support/tar.js';

const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('archive', undefined, work);
const run = (input: Uint8Array, program: string, ...args: string[]) =>
  execFileSync(program, args, { input, maxBuffer: 1 << 28 });

const long = `${'a'.repeat(120)}/${'ü'.repeat(70)}`;
const parts: readonly Part[] = [
  [{ path: 'd', type: 'directory', mode: 0o1777, uid: 12, gid: 3_000_000, size: 0 }],
  [{ path: long, type: 'file', mode: 0o640, uid: 300_000, gid: 4_000_000, size: 3 }, Buffer.from('abc')],
  symlink('l', `../${'t'.repeat(150)}`),
  file('plain', 'text\n'),
  link('same', 'plain'),
];

describe('GNU tar', () => {
  it('R95 reads what we write', async () => {
    const bytes = await bytesOf(writeTar(parts));
    const lines = run(
      bytes,
      'tar',
      '--list',
      '--verbose',
      '--utc',
      '--full-time',
      '--numeric-owner',
      '--quoting-style=literal',
    ).toString();
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual([
      'drwxrwxrwt 12/3000000 0 1980-01-01 00:00:01 d/',
      `-rw-r----- 300000/4000000 3 1980-01-01 00:00:01 ${long}`,
      `lrwxrwxrwx 0/0 0 1980-01-01 00:00:01 l -> ../${'t'.repeat(150)}`,
      '-rw-r--r-- 0/0 5 1980-01-01 00:00:01 plain',
      'hrw-r--r-- 0/0 0 1980-01-01 00:00:01 same link to plain',
    ]);
  });

  it.each(['gnu', 'pax', 'ustar', 'oldgnu'])('writes what we read, in its %s format', (format) =>
    inTemp(async (dir) => {
      const name = format === 'ustar' ? 'short' : long;
      mkdirSync(join(dir, name, '..'), { recursive: true });
      writeFileSync(join(dir, name), 'abc', { mode: 0o640 });
      const owner = ['--owner=:1234', '--group=:5678', '--mtime=@1000000000'];
      const bytes = execFileSync('tar', ['--create', `--format=${format}`, ...owner, '--directory', dir, name]);
      const [found] = await readAll(readTar(inChunks(bytes), LAYER));
      expect(found?.entry).toMatchObject({ path: name, type: 'file', mode: 0o640, uid: 1234, gid: 5678, size: 3 });
      expect([found?.mtime, found?.content.toString()]).toEqual([1_000_000_000, 'abc']);
    }),
  );
});

describe('gzip and zstd', () => {
  const text = Buffer.from('some text, '.repeat(300_000));

  it('gzip reads what we compress, with nothing to remark', async () => {
    const gzipped = await bytesOf(gzip(inChunks(text)));
    expect(run(gzipped, 'gzip', '--test').toString()).toBe('');
    expect(run(gzipped, 'gzip', '--decompress', '--stdout').equals(text)).toBe(true);
  });

  it('zstd compresses what we read', async () => {
    const compressed = run(text, 'zstd', '--stdout');
    expect((await bytesOf(decompress(inChunks(compressed), { expected: 'zstd' }))).equals(text)).toBe(true);
  });

  it('damaged zstd is refused', async () => {
    const compressed = run(text, 'zstd', '--stdout');
    const cut = bytesOf(decompress(inChunks(compressed.subarray(0, 100))));
    await expect(cut).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    const followed = bytesOf(decompress(inChunks(Buffer.concat([compressed, Buffer.from('more bytes')]))));
    await expect(followed).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('an error of the source of zstd is passed on', async () => {
    const failing = async function* () {
      yield run(text, 'zstd', '--stdout').subarray(0, 50);
      throw fail('DIGEST_MISMATCH', { what: 'a lie' });
    };
    await expect(bytesOf(decompress(failing()))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});

describe('unpackDirectory', () => {
  const entry = (path: string, mode: number): TarEntry => ({ path, type: 'file', mode, uid: 7, gid: 7, size: 1 });

  it('unpacks a buildpack for whoever runs it', () =>
    inTemp(async (dir) => {
      const tar = writeTar([
        directory('bin', 0o777),
        [entry('bin/detect', 0o4755), Buffer.from('x')],
        symlink('bin/also', 'detect'),
      ]);
      await unpackDirectory(gzip(tar), dir);
      expect(listing(dir)).toEqual(['bin/', 'bin/also -> detect', 'bin/detect=x']);
      const stat = lstatSync(join(dir, 'bin/detect'));
      expect([stat.mode & 0o7777, stat.uid]).toEqual([0o755, lstatSync(dir).uid]);
    }));

  it.each([
    ['TAR-3 a link that leads out', [symlink('x', '/etc')]],
    ['TAR-3 a relative link that leads out', [symlink('x', '../..')]],
    ['TAR-6 a hard link to what is outside', [link('x', '../neighbour')]],
    ['TAR-9 a fifo', [special('x', 'fifo')]],
    ['TAR-9 a device', [special('x', 'character-device')]],
  ])('refuses %s', (_, hostile) =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'neighbour'), 'precious');
      mkdirSync(join(dir, 'in'));
      const work = unpackDirectory((await layer(...hostile)).tar(), join(dir, 'in'));
      await expect(work).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    }),
  );

  it('TAR-1 TAR-3 writes nothing outside', () =>
    inTemp(async (dir) => {
      mkdirSync(join(dir, 'in'));
      symlinkSync('..', join(dir, 'in', 'up'));
      writeFileSync(join(dir, 'neighbour'), 'precious');
      const names = ['../neighbour', 'up/neighbour', 'a/../../neighbour', '/neighbour'];
      for (const name of names) {
        await unpackDirectory((await layer(file(name, 'pwned'))).tar(), join(dir, 'in')).catch(() => {});
      }
      expect(readFileSync(join(dir, 'neighbour'), 'utf8')).toBe('precious');
    }));

  it('TAR-17 refuses what is cut off, and what is no archive', () =>
    inTemp(async (dir) => {
      const gzipped = await bytesOf(gzip(writeTar([file('a', 'x')])));
      for (const bytes of [gzipped.subarray(0, 60), Buffer.from('<html>not found</html>'), Buffer.alloc(0)]) {
        await expect(unpackDirectory(inChunks(bytes), dir)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
      }
    }));

  it('passes on an error of the file system', () =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'file'), '');
      chmodSync(join(dir, 'file'), 0o600);
      const work = unpackDirectory(writeTar([file('a', 'x')]), join(dir, 'file'));
      await expect(work).rejects.toThrow();
    }));
});

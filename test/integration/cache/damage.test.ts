import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { useProduct } from '../../support/product.js';

const product = useProduct();

const FILES = { Procfile: 'web: true\n', 'lib/x': 'x'.repeat(100_000) };
let source = '';
let cacheDir = '';
let digest = '';
/** A directory of the test's own, which links lead to and nothing may touch. */
let elsewhere = '';
const bystander = () => join(elsewhere, 'file');

async function build() {
  const { result, notices } = await product.build({ source, request: { cacheDir } });
  return { digest: result.digest, damaged: notices.filter(({ code }) => code === 'CACHE_DAMAGED').length };
}

beforeAll(async () => {
  [source, cacheDir] = [await product.directory(), await product.directory()];
  mkdirSync(join(source, 'lib'));
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(source, path), text);
  elsewhere = await product.directory();
  writeFileSync(bystander(), 'untouched');
  digest = (await build()).digest;
});

afterEach(() => {
  expect(readdirSync(elsewhere)).toEqual(['file']);
  expect(readFileSync(bystander(), 'utf8')).toBe('untouched');
});

const inPart = (part: string) =>
  readdirSync(join(cacheDir, 'v1', part))
    .filter((name) => !/\.(lock|holder)$/.test(name))
    .map((name) => join(cacheDir, 'v1', part, name));

/** The first byte, one of the middle and the last one are turned over, a bit each. */
function flip(file: string, at: number) {
  const bytes = readFileSync(file);
  const index = Math.min(bytes.length - 1, Math.floor(bytes.length * at));
  bytes[index] = (bytes[index] as number) ^ 1;
  rmSync(file);
  writeFileSync(file, bytes);
}

const replace = (make: (file: string) => void) => (file: string) => {
  rmSync(file, { recursive: true });
  make(file);
};

const DAMAGES: readonly (readonly [string, (file: string) => void])[] = [
  ['a bit of its first byte turned over', (file) => flip(file, 0)],
  ['a bit of a byte in the middle turned over', (file) => flip(file, 0.5)],
  ['a bit of its last byte turned over', (file) => flip(file, 1)],
  ['its second half cut off', (file) => truncateSync(file, Math.floor(lstatSync(file).size / 2))],
  ['no bytes', (file) => truncateSync(file, 0)],
  ['more bytes', (file) => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('x')]))],
  ['a mode that closes it', (file) => chmodSync(file, 0)],
  ['nothing in its place', replace(() => undefined)],
  ['a link in its place', replace((file) => symlinkSync(bystander(), file))],
  ['a link to nowhere in its place', replace((file) => symlinkSync('nowhere', file))],
  ['a pipe in its place', replace((file) => execFileSync('mkfifo', [file]))],
  [
    'a directory in its place',
    replace((file) => {
      mkdirSync(file);
      writeFileSync(join(file, 'x'), '');
    }),
  ],
];

const KINDS: readonly (readonly [string, () => readonly string[]])[] = [
  ['blobs of layers', () => inPart('blobs/sha256')],
  ['notes of layers', () => inPart('layers').flatMap((path) => inPart(path.slice(join(cacheDir, 'v1/').length)))],
  ['lists of files', () => inPart('inventories')],
  ['hashes of a source', () => inPart('sources')],
  ['the mark of an unpacked base', () => inPart('roots').filter((path) => path.endsWith('.complete'))],
  ['marks of use', () => inPart('used')],
];

describe.each(KINDS)('FLT-8 %s', (kind, files) => {
  it.each(DAMAGES)('with %s are made anew, with the same digest', async (_, damage) => {
    const found = files().filter((file) => lstatSync(file).isFile());
    expect(found.length).toBeGreaterThan(0);
    for (const file of found) {
      if (lstatSync(file).isFile()) chmodSync(file, 0o644);
      damage(file);
    }
    expect((await build()).digest).toBe(digest);
    const isPlain = (file: string) => lstatSync(file).isFile();
    if (kind !== 'marks of use') expect(files().filter(isPlain)).toHaveLength(found.length);
  });
});

describe('FLT-8 what is damaged', () => {
  it('is told of once for each layer', async () => {
    const blobs = inPart('blobs/sha256');
    for (const blob of blobs) flip(blob, 0.5);
    expect(await build()).toEqual({ digest, damaged: blobs.length });
    expect(await build()).toEqual({ digest, damaged: 0 });
  });

  const rootOf = () => inPart('roots').find((path) => lstatSync(path).isDirectory()) as string;
  const program = () => join(rootOf(), 'usr/bin/bash');
  it.each<readonly [string, () => void]>([
    ['has lost a file deep in it', () => rmSync(program())],
    ['has a file that was cut off', () => truncateSync(program(), 10)],
    ['has a file with another mode', () => chmodSync(program(), 0o600)],
    ['has a file that was written to', () => utimesSync(program(), 1, 2)],
    ['has one file too many', () => writeFileSync(join(rootOf(), 'usr/bin/more'), '')],
    ['has a link in place of a directory', replaceDirectory('usr/bin')],
    ['is a file', () => replace((file) => writeFileSync(file, ''))(rootOf())],
    ['is a link', () => replace((file) => symlinkSync(elsewhere, file))(rootOf())],
  ])('and is an unpacked base that %s is unpacked again, and told of', async (_, damage) => {
    damage();
    expect(await build()).toEqual({ digest, damaged: 1 });
    expect(await build()).toEqual({ digest, damaged: 0 });
  });

  function replaceDirectory(path: string) {
    return () => replace((file) => symlinkSync(elsewhere, file))(join(rootOf(), path));
  }

  it.each(['blobs', 'layers', 'roots', 'inventories', 'apps', 'tarballs', 'used', 'leases', 'work'])(
    'and is a part that is gone, %s, is made anew',
    async (part) => {
      rmSync(join(cacheDir, 'v1', part), { recursive: true, force: true });
      expect((await build()).digest).toBe(digest);
      expect(await build()).toEqual({ digest, damaged: 0 });
    },
  );

  it.each<readonly [string, (file: string) => void]>([
    ['a file', (file) => writeFileSync(file, '')],
    ['a link', (file) => symlinkSync(elsewhere, file)],
    ['a pipe', (file) => execFileSync('mkfifo', [file])],
  ])('and is the CACHE_DIR of an app, with %s in its place, is made anew', async (_, make) => {
    const [app = ''] = inPart('apps');
    for (const place of [join(app, 'current'), app]) {
      replace(make)(place);
      expect((await build()).digest).toBe(digest);
      expect(lstatSync(join(app, 'current')).isDirectory()).toBe(true);
      expect(await build()).toEqual({ digest, damaged: 0 });
    }
  });
});

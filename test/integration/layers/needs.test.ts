import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type FoundNeeds, findNeeds } from '../../../src/layers/needs.js';
import { readTree } from '../../../src/layers/tree.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { type ElfParts, elfFile } from '../../support/elf.js';

/** A file's bytes, or where a link leads to. Files are executable unless they are libraries. */
type Content = Uint8Array | string | { readonly to: string };

const BASE_PATHS = [
  '/bin/bash',
  '/usr/bin/env',
  '/usr/bin/perl',
  '/etc/ssl/certs/java/cacerts',
  '/lib64/ld-linux-x86-64.so.2',
  '/opt/db/lib/libdb.so.4',
];
const BASE_LIBRARIES = ['libc.so.6', 'libm.so.6', 'libssl.so.3'];

function elf(...needed: readonly string[]): Buffer {
  return elfFile({ needed });
}

function program(parts: ElfParts): Buffer {
  return elfFile({ interpreter: '/lib64/ld-linux-x86-64.so.2', ...parts });
}

function needsOf(tree: Readonly<Record<string, Content>>, has = BASE_LIBRARIES): Promise<FoundNeeds> {
  return withTempDir('needs', undefined, async (dir) => {
    for (const [path, content] of Object.entries(tree)) put(join(dir, path), content);
    return findNeeds({
      root: dir,
      tree: readTree(dir),
      at: '/app',
      buildDirectories: ['/tmp/build_app', '/tmp/cache_app'],
      architecture: 'amd64',
      base: {
        hasPath: (path) => BASE_PATHS.includes(path),
        hasLibrary: (soname) => has.includes(soname),
        hasVersion: (_, version) => !version.startsWith('NONE'),
      },
    });
  });
}

function put(file: string, content: Content): void {
  mkdirSync(dirname(file), { recursive: true });
  if (typeof content === 'object' && 'to' in content) symlinkSync(content.to, file);
  else writeFileSync(file, content, { mode: /\.(so|node)/.test(file) ? 0o644 : 0o755 });
}

describe('findNeeds', () => {
  it('R114 asks for the versions of symbols that the base had, of libraries that the app does not bring', async () => {
    const server = program({
      needed: ['libc.so.6', 'libown.so.1'],
      versionsNeeded: [
        ['libc.so.6', 'GLIBC_2.34'],
        ['libc.so.6', 'GLIBC_2.2.5'],
        ['libc.so.6', 'NONE_1'],
        ['libown.so.1', 'OWN_1'],
      ],
    });
    const { needs } = await needsOf({ server, 'lib/libown.so.1': elf(), other: server });
    expect(needs.versions).toEqual({ 'libc.so.6': ['GLIBC_2.2.5', 'GLIBC_2.34'] });
  });

  it('R117 asks for bash on behalf of any app, even an empty one', async () => {
    const found = await needsOf({});
    expect(found.needs).toEqual({ paths: ['/bin/bash'], libraries: [], versions: {} });
    expect(found.unmet).toEqual({ paths: [], libraries: [] });
  });

  it('R59 asks for what absolute links into the base lead to, and for no more than led somewhere', async () => {
    const { needs, unmet, lost } = await needsOf({
      '.jdk/lib/security/cacerts': { to: '/etc/ssl/certs/java/cacerts' },
      'etc/alternatives/x': { to: '/etc/alternatives/y' },
      'up/perl': { to: '../../usr/bin/perl' },
      log: { to: '/dev/stdout' },
      tmp: { to: '/tmp' },
      self: { to: '/app/.jdk' },
      near: { to: 'up/perl' },
      root: { to: '/' },
    });
    expect(needs.paths).toEqual(['/bin/bash', '/etc/ssl/certs/java/cacerts', '/usr/bin/perl']);
    expect(unmet.paths).toEqual([]);
    expect([...lost]).toEqual([]);
  });

  it('names the files that refer to the directory of the build, which is gone later', async () => {
    const { needs, lost } = await needsOf({
      'bin/link': { to: '/tmp/build_app/x' },
      'bin/script': '#!/tmp/build_app/.heroku/python/bin/python\n',
      'bin/kept': { to: '/tmp/cache_app/x' },
      'bin/other': { to: '/tmp/build_apple' },
    });
    expect(needs.paths).toEqual(['/bin/bash']);
    expect(Object.fromEntries(lost)).toEqual({
      'bin/kept': '/tmp/cache_app/x',
      'bin/link': '/tmp/build_app/x',
      'bin/script': '/tmp/build_app/.heroku/python/bin/python',
    });
  });

  it('R117 asks for the interpreters of scripts that can be run', async () => {
    const { needs } = await needsOf({
      'bin/web': '#!/usr/bin/env node\n',
      'bin/own': '#!/app/.heroku/python/bin/python\n',
      'bin/odd': '#!/usr/bin/osascript\n',
      'lib/text.so': '#!/usr/bin/perl\n',
    });
    expect(needs.paths).toEqual(['/bin/bash', '/usr/bin/env']);
  });

  it('R117 tells of interpreters that neither the app nor the build base has, by path and by name', async () => {
    const { unmet, programs, users } = await needsOf({
      'bin/ruby-script': '#!/usr/bin/ruby -w\n',
      'bin/own': '#!/app/vendor/bin/php\n',
      'bin/a': '#!/usr/bin/env node\n',
      'bin/b': '#!/usr/bin/env -S LANG=C pwsh -File\n',
      'bin/c': '#!/usr/bin/env own-tool\n',
      'bin/d': '#!/usr/bin/env linked\n',
      'bin/e': '#!/usr/bin/env\n',
      'bin/f': '#!/usr/bin/env perl\n',
      'vendor/own-tool': '#!/bin/bash\n',
      'vendor/linked': { to: 'own-tool' },
      'lib/text.so': '#!/usr/bin/env java\n',
    });
    expect(unmet.paths).toEqual(['/usr/bin/ruby']);
    expect(users.get('/usr/bin/ruby')).toBe('bin/ruby-script');
    expect(Object.fromEntries(programs)).toEqual({ node: 'bin/a', perl: 'bin/f', pwsh: 'bin/b' });
  });

  it('R121 asks for libraries that the app does not bring itself', async () => {
    const { needs, unmet, users } = await needsOf({
      'bin/nginx': program({ needed: ['libssl.so.3', 'libown.so.1', 'libnamed.so.2', 'libc.so.6', 'libm.so.6'] }),
      'lib/libown.so.1.2': elf('libc.so.6'),
      'lib/libown.so.1': { to: 'libown.so.1.2' },
      'lib/other.so': elfFile({ soname: 'libnamed.so.2' }),
      'lib/text.so.6': 'GROUP ( libc.so.6 )',
    });
    expect(needs).toEqual({
      paths: ['/bin/bash', '/lib64/ld-linux-x86-64.so.2'],
      libraries: ['libc.so.6', 'libm.so.6', 'libssl.so.3'],
      versions: {},
    });
    expect(unmet).toEqual({ paths: [], libraries: [] });
    expect(users.get('libssl.so.3')).toBe('bin/nginx');
  });

  it('R114 tells what neither the app nor its build base has, though compile was content', async () => {
    const { needs, unmet, users } = await needsOf({
      '.local/bin/nginx': program({ needed: ['libpcre.so.3', 'libc.so.6'] }),
      'bin/strange': elfFile({ interpreter: '/lib64/ld-other.so.9', needed: [] }),
    });
    expect(needs.libraries).toEqual(['libc.so.6']);
    expect(unmet).toEqual({ paths: ['/lib64/ld-other.so.9'], libraries: ['libpcre.so.3'] });
    expect(users.get('libpcre.so.3')).toBe('.local/bin/nginx');
  });

  it('leaves out variants for other processors and other C libraries', async () => {
    const tree = {
      'prebuilds/linux-arm64/x.node': elfFile({ machine: 183, needed: ['ld-linux-aarch64.so.1'] }),
      'prebuilds/linux-x64/x.musl.node': elf('libc.musl-x86_64.so.1', 'libstrange.so'),
      'prebuilds/android-x64/x.node': elf('liblog.so', 'libc.so'),
      'prebuilds/darwin-x64/x.node': Buffer.from('cffaedfe07000001', 'hex'),
    };
    const found = await needsOf(tree);
    expect(found.needs.libraries).toEqual([]);
    expect(found.unmet.libraries).toEqual([]);
    const musl = await needsOf(tree, ['libc.musl-x86_64.so.1']);
    expect(musl.needs.libraries).toEqual(['libc.musl-x86_64.so.1']);
    expect(musl.unmet.libraries).toEqual(['libstrange.so']);
  });

  it('asks by path for a library that only a search path of the file leads to', async () => {
    const { needs, unmet } = await needsOf({
      'bin/db': elfFile({ needed: ['libdb.so.4'], runpath: '$ORIGIN/../lib:/app/lib:/opt/db/lib' }),
    });
    expect(needs).toEqual({ paths: ['/bin/bash', '/opt/db/lib/libdb.so.4'], libraries: [], versions: {} });
    expect(unmet.libraries).toEqual([]);
  });

  it('looks neither at data nor at what it may not read', async () => {
    const { needs, unmet } = await needsOf({
      'node_modules/a/index.js': 'x',
      'lib/broken.so': '\x7fELF',
      'empty.so': '',
    });
    expect(needs).toEqual({ paths: ['/bin/bash'], libraries: [], versions: {} });
    expect(unmet).toEqual({ paths: [], libraries: [] });
  });

  it('says the same of the same tree, whatever the order in which it is walked', async () => {
    const tree: Record<string, Content> = {
      b: elf('libx.so', 'liby.so'),
      a: elf('liby.so', 'libx.so'),
      c: '#!/usr/bin/perl\n',
      d: { to: '/usr/bin/perl' },
    };
    const turned = Object.fromEntries(Object.entries(tree).reverse());
    const [one, two] = [await needsOf(tree), await needsOf(turned)];
    expect(two).toEqual(one);
    expect(one.users.get('/usr/bin/perl')).toBe('c');
    expect(one.users.get('libx.so')).toBe('a');
  });

  it('looks through 15,000 files in less than a second', () =>
    withTempDir('needs', undefined, async (dir) => {
      for (let package_ = 0; package_ < 150; package_ += 1) {
        mkdirSync(join(dir, `node_modules/p${package_}`), { recursive: true });
        for (let file = 0; file < 100; file += 1) {
          writeFileSync(join(dir, `node_modules/p${package_}/${file}.js`), '#!/usr/bin/env node\n', {
            mode: file % 10 === 0 ? 0o755 : 0o644,
          });
        }
      }
      const tree = readTree(dir);
      const base = { hasPath: () => true, hasLibrary: () => true, hasVersion: () => true };
      const request = { root: dir, tree, at: '/app', buildDirectories: [], architecture: 'amd64', base };
      const times: number[] = [];
      for (let run = 0; run < 3; run += 1) {
        const start = performance.now();
        expect(findNeeds(request).needs.paths).toEqual(['/bin/bash', '/usr/bin/env']);
        times.push(performance.now() - start);
      }
      expect(Math.min(...times)).toBeLessThan(5000);
    }));
});

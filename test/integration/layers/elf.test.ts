import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Elf } from '../../../src/layers/elf.js';
import { readProgramFile } from '../../../src/layers/program-file.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { elfFile } from '../../support/elf.js';

/** ELF files of this machine: programs and libraries, some of each. */
function elfFilesHere(): readonly string[] {
  const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64'];
  return ['/usr/bin', ...libraries].flatMap((directory) => {
    const names = list(directory).sort();
    const step = Math.ceil(names.length / 80);
    const some = names.filter((_, index) => index % step === 0).map((name) => join(directory, name));
    return some.filter((path) => statOf(path)?.isFile() && isElf(path)).map((path) => realpathSync(path));
  });
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

function isElf(path: string): boolean {
  return readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF';
}

function elfOf(path: string): Elf | undefined {
  const file = readProgramFile(path);
  return file?.type === 'elf' ? file.elf : undefined;
}

/** The same facts in the words of another program, where there is one. */
function readelf(path: string): Omit<Elf, 'machine'> {
  const text = execFileSync('readelf', ['--wide', '--dynamic', '--program-headers', '--version-info', path], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const values = (tag: string) =>
    [...text.matchAll(new RegExp(`\\(${tag}\\).*\\[(.*)\\]`, 'g'))].map((match) => String(match[1]));
  const interpreter = /\[Requesting program interpreter: (.*)\]/.exec(text)?.[1];
  const [soname] = values('SONAME');
  const [runpath] = [...values('RUNPATH'), ...values('RPATH')];
  const [defined = '', needed = ''] = ['definition', 'needs'].map(
    (kind) => new RegExp(`Version ${kind} section [^]*?(?=\\n\\n|$)`).exec(text)?.[0],
  );
  return {
    ...(interpreter === undefined ? {} : { interpreter }),
    needed: values('NEEDED'),
    ...(soname === undefined ? {} : { soname }),
    runpath: runpath === undefined ? [] : runpath.split(':'),
    versions: [...defined.matchAll(/Flags: (\w+) .*Name: (\S+)/g)].flatMap(([, flags, name = '']) =>
      flags === 'BASE' ? [] : [name],
    ),
    versionsNeeded: versionsIn(needed),
  };
}

function versionsIn(section: string): Elf['versionsNeeded'] {
  let library = '';
  return section.split('\n').flatMap((line): Elf['versionsNeeded'] => {
    library = /File: (\S+)/.exec(line)?.[1] ?? library;
    const version = /Name: (\S+) +Flags: none/.exec(line)?.[1];
    return version === undefined ? [] : [[library, version]];
  });
}

function hasReadelf(): boolean {
  try {
    execFileSync('readelf', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('readProgramFile', () => {
  it('says of the ELF files of this machine what readelf says', () => {
    const files = elfFilesHere();
    expect(files.length).toBeGreaterThan(20);
    const other = hasReadelf();
    for (const path of files) {
      const { machine, ...facts } = elfOf(path) ?? { machine: 0 };
      expect(machine).toBeGreaterThan(0);
      if (other) expect([path, facts]).toEqual([path, readelf(path)]);
    }
  });

  it('reads damaged programs without end, error or much memory', () =>
    withTempDir('elf', undefined, async (dir) => {
      const whole = readFileSync(realpathSync('/bin/ls'));
      const file = join(dir, 'damaged');
      const change = fc.tuple(fc.oneof(fc.nat(0x400), fc.nat(whole.byteLength)), fc.integer({ min: 0, max: 255 }));
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), fc.nat(whole.byteLength), (changes, length) => {
          const bytes = Buffer.from(whole.subarray(0, Math.max(length, 64)));
          for (const [at, value] of changes) if (at < bytes.byteLength) bytes[at] = value;
          writeFileSync(file, bytes);
          const elf = elfOf(file);
          expect((elf?.needed.length ?? 0) + (elf?.runpath.length ?? 0)).toBeLessThan(10_000);
        }),
        { numRuns: 300 },
      );
    }));

  it('finds headers that lie far into a file', () =>
    withTempDir('elf', undefined, async (dir) => {
      const names = Array.from({ length: 300 }, (_, number) => `lib${'x'.repeat(20)}${number}.so`);
      writeFileSync(join(dir, 'large'), elfFile({ needed: names }));
      expect(elfOf(join(dir, 'large'))?.needed).toEqual(names);
    }));

  it.each([
    ['#!/bin/sh\n', '/bin/sh'],
    ['#! \t/usr/bin/env node\n', '/usr/bin/env'],
    ['#!/bin/bash -eu', '/bin/bash'],
    ['#!bin/relative\n', 'bin/relative'],
    ['#!\n/bin/sh', undefined],
    ['#!', undefined],
    ['#!/bin/sh\r\n', undefined],
    ['#! /bin/\x1bsh\n', undefined],
    ['# /bin/sh', undefined],
    ['', undefined],
  ])('takes from %j the interpreter %s', (text, interpreter) =>
    withTempDir('elf', undefined, async (dir) => {
      writeFileSync(join(dir, 'script'), text);
      const expected = interpreter === undefined ? undefined : expect.objectContaining({ type: 'script', interpreter });
      expect(readProgramFile(join(dir, 'script'))).toEqual(expected);
    }),
  );

  it.each([
    ['#! \t/usr/bin/env node\n', 'node'],
    ['#!/usr/bin/env node', 'node'],
    ['#!/bin/env -S A=1 node --flag\n', 'node'],
    ['#!/usr/bin/env\n', undefined],
    ['#!/usr/bin/env no\x1bde\n', undefined],
    ['#!/usr/bin/env node\r\n', undefined],
    ['#!/usr/bin/environment node\n', undefined],
    ['#!/bin/sh -e\n', undefined],
  ])('takes from %j the program %s, which env is to look for', (text, program) =>
    withTempDir('elf', undefined, async (dir) => {
      writeFileSync(join(dir, 'script'), text);
      const found = readProgramFile(join(dir, 'script'));
      expect(found?.type === 'script' ? found.program : 'none').toBe(program);
    }),
  );

  it('reads nothing through a link, and nothing that is not there', () =>
    withTempDir('elf', undefined, async (dir) => {
      writeFileSync(join(dir, 'script'), '#!/bin/sh\n');
      chmodSync(join(dir, 'script'), 0o755);
      symlinkSync('script', join(dir, 'link'));
      expect(readProgramFile(join(dir, 'link'))).toBeUndefined();
      expect(readProgramFile(join(dir, 'nothing'))).toBeUndefined();
      expect(readProgramFile(dir)).toBeUndefined();
    }));
});

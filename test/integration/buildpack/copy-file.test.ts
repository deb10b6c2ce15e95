import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { copyFile } from '../../../src/buildpack/copy-file.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { isFailure, systemCode } from '../../../src/values/error.js';

const codeOf = (work: () => unknown) => {
  try {
    work();
    return 'none';
  } catch (error) {
    return systemCode(error) ?? (isFailure(error) ? error.code : undefined);
  }
};

describe('copyFile', () => {
  it('copies bytes, sets the mode regardless of the umask, and tells what the file was', () =>
    withTempDir('copy-file', undefined, async (directory) => {
      const [from, to] = [join(directory, 'from'), join(directory, 'to')];
      writeFileSync(from, 'bytes');
      chmodSync(from, 0o666);
      const before = process.umask(0o077);
      try {
        const stat = copyFile(from, to, (mode) => mode);
        expect([stat.ino, stat.size]).toEqual([statSync(from, { bigint: true }).ino, 5n]);
      } finally {
        process.umask(before);
      }
      expect([readFileSync(to, 'utf8'), statSync(to).mode & 0o7777]).toEqual(['bytes', 0o666]);
    }));

  it('follows no link and copies nothing but files', () =>
    withTempDir('copy-file', undefined, async (directory) => {
      writeFileSync(join(directory, 'file'), '');
      symlinkSync('file', join(directory, 'link'));
      mkdirSync(join(directory, 'directory'));
      const copy = (name: string) =>
        codeOf(() => copyFile(join(directory, name), join(directory, 'to'), (mode) => mode));
      expect([copy('link'), copy('directory')]).toEqual(['ELOOP', 'SOURCE_INVALID']);
    }));

  it('does not take a file that is written to all the time', () =>
    withTempDir('copy-file', undefined, async (directory) => {
      const from = join(directory, 'log');
      writeFileSync(from, Buffer.alloc(64 << 20));
      const writer = spawn('bash', ['-c', 'echo; while :; do echo line >> "$0"; done', from]);
      try {
        await new Promise((resolve) => writer.stdout.once('data', resolve));
        expect(codeOf(() => copyFile(from, join(directory, 'to'), (mode) => mode))).toBe('SOURCE_INVALID');
      } finally {
        writer.kill('SIGKILL');
        await new Promise((resolve) => writer.once('close', resolve));
      }
    }));
});

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runProcess } from '../../../src/system/process.js';
import { writeStaged, writeStagedAs } from '../../../src/system/staged.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
});

afterEach(async () => {
  await chmod(dir, 0o700);
  await rm(dir, { recursive: true, force: true });
});

describe('writeStaged', () => {
  it('writes bytes, text and streams, and replaces what was there', async () => {
    const path = join(dir, 'file');
    await writeStaged(path, 'text');
    await writeStaged(path, Buffer.from('bytes'));
    expect(await readFile(path, 'utf8')).toBe('bytes');
    await writeStaged(path, [Buffer.from('a'), Buffer.from('b')], 0o600);
    expect(await readFile(path, 'utf8')).toBe('ab');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(['file']);
  });

  it('asks for the name when all bytes have gone by', async () => {
    let size = 0;
    async function* counted() {
      for (const chunk of ['one', 'three']) {
        size += chunk.length;
        yield Buffer.from(chunk);
      }
    }
    await writeStagedAs(dir, counted(), () => `size-${size}`);
    expect(await readdir(dir)).toEqual(['size-8']);
  });

  it('leaves the old file and nothing else when the stream fails', async () => {
    await writeFile(join(dir, 'file'), 'old');
    async function* broken() {
      yield Buffer.from('new');
      throw new Error('the source failed');
    }
    await expect(writeStaged(join(dir, 'file'), broken())).rejects.toThrow('the source failed');
    expect(await readdir(dir)).toEqual(['file']);
    expect(await readFile(join(dir, 'file'), 'utf8')).toBe('old');
  });

  it('says how much room was needed and found when the file system is full', async () => {
    const small = join(dir, 'small');
    const mount = await runProcess({
      file: 'bash',
      args: ['-c', `mkdir ${small} && mount -t tmpfs -o size=64k tmpfs ${small}`],
      env: {},
    });
    // Without the right to mount, there is a device that is always full, but none to make a file in.
    if (mount.code !== 0) return;
    try {
      const failure = await writeStaged(join(small, 'file'), Buffer.alloc(200_000)).catch((error) => error);
      expect(failure).toMatchObject({ code: 'DISK_FULL', details: { directory: small, neededBytes: 200_000 } });
      // As it was when the write failed, not when what was written had been removed.
      expect(failure.why).toBe('the file system is full; needed 200000 bytes; free 0 bytes');
      expect(await readdir(small)).toEqual([]);
    } finally {
      await runProcess({ file: 'umount', args: [small], env: {} });
    }
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runProcess } from '../../../src/system/process.js';
import { removeTree } from '../../../src/system/remove.js';
import { sweepStale, withTempDir } from '../../../src/system/tempdir.js';
import { compileSources } from '../../support/compiled.js';

let work: string;
let dir: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  await chmod(work, 0o755);
  await compileSources(join(work, 'lib'), ['values', 'system']);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

beforeEach(async () => {
  dir = await mkdtemp(join(work, 'case-'));
});

/** Runs a module of its own over the compiled sources. */
function node(code: string, more: { uid?: number; gid?: number } = {}) {
  return runProcess({
    file: process.execPath,
    args: ['--input-type=module', '-e', code],
    env: {},
    cwd: join(work, 'lib'),
    ...more,
  });
}

async function makeOddTree(root: string): Promise<void> {
  await mkdir(join(root, 'shut/inner'), { recursive: true });
  await mkdir(join(root, 'go/pkg/mod'), { recursive: true });
  await writeFile(join(root, 'go/pkg/mod/file'), 'x', { mode: 0o444 });
  await writeFile(join(root, 'shut/inner/none'), 'x', { mode: 0 });
  await symlink('/etc', join(root, 'go/link'));
  for (const path of ['shut/inner', 'shut']) await chmod(join(root, path), 0);
  for (const path of ['go/pkg/mod', 'go/pkg', 'go']) await chmod(join(root, path), 0o555);
}

describe('withTempDir', () => {
  it('R58 removes trees with read-only and unreadable directories', async () => {
    await withTempDir('build', dir, makeOddTree);
    expect(await readdir(dir)).toEqual([]);
  });

  it('removes the directory when the work fails', async () => {
    const failing = withTempDir('build', dir, async () => {
      throw new Error('the work failed');
    });
    await expect(failing).rejects.toThrow('the work failed');
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('removeTree', () => {
  it('R58 removes them for an ordinary user as well', async () => {
    await makeOddTree(join(dir, 'tree'));
    await runProcess({ file: 'chown', args: ['-hR', '65534:65534', join(dir, 'tree')], env: {} });
    await chown(dir, 65534, 65534);
    const code = `import { removeTree } from './system/remove.js'; await removeTree(${JSON.stringify(join(dir, 'tree'))});`;
    expect(await node(code, { uid: 65534, gid: 65534 })).toMatchObject({ code: 0 });
    expect(await readdir(dir)).toEqual([]);
  });

  it('does not follow links', async () => {
    await mkdir(join(dir, 'outside'));
    await writeFile(join(dir, 'outside/kept'), '');
    await mkdir(join(dir, 'tree'));
    await symlink('../outside', join(dir, 'tree/link'));
    await removeTree(join(dir, 'tree'));
    expect(await readdir(join(dir, 'outside'))).toEqual(['kept']);
  });

  it('removes a tree deeper than the longest path', async () => {
    let top = join(dir, 'deep');
    await mkdir(top);
    const name = 'd'.repeat(200);
    for (let i = 0; i < 30; i += 1) {
      const next = await mkdtemp(join(dir, 'next-'));
      await rename(top, join(next, name));
      top = next;
    }
    await removeTree(top);
    expect(await readdir(dir)).toEqual([]);
  });

  it('does nothing when there is nothing', async () => {
    await removeTree(join(dir, 'none'));
  });
});

describe('sweepStale', () => {
  it('removes what a killed process left and keeps what a live one uses', async () => {
    const code = `import { withTempDir } from './system/tempdir.js';
      await withTempDir('build', ${JSON.stringify(dir)}, async (at) => { console.log(at); await new Promise((r) => setTimeout(r, 60000)); });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: join(work, 'lib') });
    const [left] = await once(child.stdout, 'data');
    await mkdir(join(dir, 'not-ours'));
    await withTempDir('build', dir, async (live) => {
      expect(await sweepStale(dir)).toEqual([]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await sweepStale(dir)).toEqual([basename(String(left).trim())]);
      expect((await readdir(dir)).sort()).toEqual([basename(live), 'not-ours'].sort());
    });
  });
});

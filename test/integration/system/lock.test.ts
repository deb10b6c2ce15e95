import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withLock } from '../../../src/system/lock.js';
import { compileSources } from '../../support/compiled.js';

let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  await compileSources(join(work, 'lib'), ['values', 'system']);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function holderProcess(path: string) {
  const code = `import { withLock } from './system/lock.js';
    await withLock(${JSON.stringify(path)}, {}, async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60000)); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: join(work, 'lib') });
  await once(child.stdout, 'data');
  return child;
}

describe('withLock', () => {
  it('lets one holder in at a time', async () => {
    let inside = 0;
    let most = 0;
    const once = () =>
      withLock(join(work, 'one'), {}, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await sleep(10);
        inside -= 1;
      });
    await Promise.all([once(), once(), once(), once()]);
    expect(most).toBe(1);
    expect((await readdir(work)).filter((name) => name.startsWith('one'))).toEqual([]);
  });

  it('names the holder when it may not wait, and breaks the lock once the holder was killed', async () => {
    const path = join(work, 'two');
    const child = await holderProcess(path);
    const failure = await withLock(path, { waitMs: 0 }, async () => 'in').catch((error) => error);
    expect(failure).toMatchObject({ code: 'CACHE_LOCKED', details: { pid: child.pid } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await withLock(path, { waitMs: 0 }, async () => 'in')).toBe('in');
  });

  it('lets only one in when several break the lock of a dead process', async () => {
    const path = join(work, 'three');
    const child = await holderProcess(path);
    child.kill('SIGKILL');
    await once(child, 'exit');
    let inside = 0;
    const enter = () =>
      withLock(path, {}, async () => {
        inside += 1;
        const seen = inside;
        await sleep(30);
        inside -= 1;
        return seen;
      });
    expect(await Promise.all([enter(), enter(), enter(), enter(), enter()])).toEqual([1, 1, 1, 1, 1]);
  });

  it('stops waiting when it is aborted', async () => {
    const path = join(work, 'four');
    await withLock(path, {}, async () => {
      const waiting = withLock(path, { signal: AbortSignal.timeout(150) }, async () => 'in');
      await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
    });
  });

  it('is free again after the work has failed', async () => {
    const path = join(work, 'five');
    const failing = withLock(path, {}, async () => {
      throw new Error('the work failed');
    });
    await expect(failing).rejects.toThrow('the work failed');
    expect(await withLock(path, { waitMs: 0 }, async () => 'in')).toBe('in');
  });
});

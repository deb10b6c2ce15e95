import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hostSandbox } from '../../../src/sandbox/host.js';
import type { Mount, SandboxCommand } from '../../../src/sandbox/sandbox.js';

let work: string;
let mounts: readonly Mount[];
const sandbox = hostSandbox();

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  await mkdir(join(work, 'tmp/build'), { recursive: true });
  await mkdir(join(work, 'bp'));
  await writeFile(join(work, 'bp/show'), '#!/bin/sh\necho "$0 $PWD"\necho error >&2\n', { mode: 0o755 });
  mounts = [
    { from: join(work, 'tmp'), to: '/tmp', writable: true },
    { from: join(work, 'bp'), to: '/tmp/buildpacks/1', writable: false },
  ];
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function run(more: Partial<SandboxCommand>) {
  let output = '';
  const command = {
    root: '/',
    mounts,
    argv: ['/tmp/buildpacks/1/show'] as const,
    cwd: '/tmp/build',
    env: { PATH: '/usr/bin:/bin' },
  };
  const onOutput = (chunk: Uint8Array) => {
    output += Buffer.from(chunk).toString();
  };
  const exit = await sandbox.run({ ...command, network: 'host', output: 'merged', onOutput, ...more });
  return { exit, output };
}

describe('hostSandbox', () => {
  it('names a path by the longest mount above it', () => {
    const names = ['/tmp', '/tmp/x', '/tmp/buildpacks/1/bin', '/tmp/buildpacks/11', '/tmpfile', '/usr/bin'];
    expect(names.map((name) => sandbox.pathOf(name, mounts))).toEqual([
      join(work, 'tmp'),
      join(work, 'tmp/x'),
      join(work, 'bp/bin'),
      join(work, 'tmp/buildpacks/11'),
      '/tmpfile',
      '/usr/bin',
    ]);
  });

  it('runs the program in its directory, both by their host names, with merged output', async () => {
    const { exit, output } = await run({});
    expect(exit).toEqual({ code: 0, killedBy: undefined, timedOut: false });
    expect(output).toBe(`${join(work, 'bp/show')} ${join(work, 'tmp/build')}\nerror\n`);
  });

  it('gives the environment as it is', async () => {
    const { output } = await run({ argv: ['/usr/bin/env'], env: { A: '1' } });
    expect(output).toBe('A=1\n');
  });

  it('R48 throws when the program does not exist', async () => {
    await expect(run({ argv: ['/tmp/none'] })).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
      message: '/tmp/none could not be started',
    });
  });

  it('R45 ends a program whose time is over', async () => {
    const { exit } = await run({ argv: ['/bin/sh', '-c', 'sleep 50'], timeoutMs: 200 });
    expect(exit).toEqual({ code: undefined, killedBy: 'SIGTERM', timedOut: true });
  });
});

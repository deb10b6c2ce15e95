import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack } from '../support/product.js';

const cli = useCli();

const APP = { Procfile: 'web: sleep 1\n' };
const SLEEPS = 'echo begun; mkdir "$2/kept" "$1/made"; sleep 300 & sleep 300';
const IGNORES = `trap '' TERM INT HUP; ${SLEEPS}; sleep 300`;

/** Starts a build, waits until its compile runs, ends it with a signal. */
async function interrupted(compile: string, signal: NodeJS.Signals) {
  const app = await cli.directory(APP);
  const bp = await cli.directory(buildpack({ compile }));
  const before = await cli.treeOf(app);
  const started = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp]);
  await started.says('begun');
  const cache = (await cli.traces()).cache;
  const sent = performance.now();
  started.child.kill(signal);
  const run = await started.ended;
  return { ...run, ms: performance.now() - sent, app, before, cache };
}

describe('pack-build build, interrupted', () => {
  const signals = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const;
  for (const [signal, status] of signals) {
    for (const [what, compile] of [
      ['sleeps', SLEEPS],
      ['ignores signals', IGNORES],
    ] as const) {
      it(`ends with ${status} soon after ${signal} when a compile ${what}, and leaves nothing`, async () => {
        const run = await interrupted(compile, signal);
        expect({ status: run.status, stdout: run.stdout }).toEqual({ status, stdout: '' });
        expect(run.stderr).toMatch(new RegExp(`error INTERRUPTED: interrupted by ${signal}\n$`));
        expect(run.ms).toBeLessThan(20_000);
        expect(await cli.treeOf(run.app)).toEqual(run.before);
        const traces = await cli.traces();
        expect(traces).toEqual({ cache: traces.cache, temporary: [], processes: [] });
        expect(traces.cache.filter((line) => line.startsWith('apps/'))).toEqual([]);
      });
    }
  }

  it('ends at the second signal even while it cleans up', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: IGNORES }));
    const started = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp]);
    await started.says('begun');
    started.child.kill('SIGINT');
    await sleep(100);
    started.child.kill('SIGINT');
    expect((await started.ended).status).toBe(130);
    await untilNoProcess();
    expect((await cli.run(['build', app, '--base', cli.base()])).status).toBe(0);
    expect((await cli.traces()).temporary).toEqual([]);
  });

  it('leaves to the next build to sweep what a killed one could not, with no process alive', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: IGNORES }));
    const started = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp]);
    await started.says('begun');
    started.child.kill('SIGKILL');
    expect((await started.ended).status).toBe(137);
    await untilNoProcess();
    expect((await cli.traces()).temporary).not.toEqual([]);
    const again = await cli.run(['build', app, '--base', cli.base(), '--to', `oci:${join(app, '../killed')}:v1`]);
    expect(again.status).toBe(0);
    expect(await cli.traces()).toMatchObject({ temporary: [], processes: [] });
  });

  it('says so as data with --json', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: SLEEPS }));
    const started = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp, '--json']);
    await started.says('begun');
    started.child.kill('SIGTERM');
    const { status, stdout } = await started.ended;
    expect(status).toBe(143);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      type: 'error',
      code: 'INTERRUPTED',
      message: 'interrupted by SIGTERM',
      why: null,
      fix: null,
      details: {},
    });
  });
});

/** The kernel ends a sandbox soon after its parent, not in the same moment. */
async function untilNoProcess(): Promise<void> {
  for (let waited = 0; waited < 3000; waited += 50) {
    if ((await cli.traces()).processes.length === 0) return;
    await sleep(50);
  }
  expect((await cli.traces()).processes).toEqual([]);
}

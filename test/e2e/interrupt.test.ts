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
  const to = `oci:${app}-image:v1`;
  await cli.run(['build', app, '--base', cli.base(), '--to', to]);
  const image = await cli.treeOf(`${app}-image`);
  const bp = await cli.directory(buildpack({ compile }));
  const before = await cli.treeOf(app);
  const started = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp, '--to', to]);
  await started.says('begun');
  const cache = (await cli.traces()).cache.filter((line) => !line.startsWith('work/'));
  const sent = performance.now();
  started.child.kill(signal);
  const run = await started.ended;
  const ms = performance.now() - sent;
  const isMoved = (await cli.treeOf(`${app}-image`)).join() !== image.join();
  return { ...run, ms, app, before, cache, isMoved };
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
      it(`FLT-11 ends with ${status} soon after ${signal} when a compile ${what}, and leaves nothing`, async () => {
        const run = await interrupted(compile, signal);
        expect({ status: run.status, stdout: run.stdout }).toEqual({ status, stdout: '' });
        expect(run.stderr).toMatch(new RegExp(`error INTERRUPTED: interrupted by ${signal}\n$`));
        // A second and a half for an end in good order, and what a busy machine takes.
        expect(run.ms).toBeLessThan(5000);
        expect(run.isMoved).toBe(false);
        expect(await cli.treeOf(run.app)).toEqual(run.before);
        const traces = await cli.traces();
        expect(traces).toEqual({ cache: traces.cache, temporary: [], processes: [] });
        expect(traces.cache).toEqual(run.cache.filter((line) => !line.startsWith('leases/')));
      });
    }
  }

  it.each([
    ['bwrap', 'SIGINT', 130],
    ['host', 'SIGINT', 130],
    ['bwrap', 'SIGTERM', 143],
  ] as const)(
    'FLT-11 ends at once at a second signal, and says what that means (%s, %s)',
    async (sandbox, second, status) => {
      const app = await cli.directory(APP);
      const bp = await cli.directory(buildpack({ compile: IGNORES }));
      const flags = ['--base', cli.base(), '--sandbox', sandbox];
      const started = cli.start(['build', app, ...flags, '--buildpack', bp]);
      await started.says('begun');
      started.child.kill('SIGINT');
      await sleep(100);
      const sent = performance.now();
      started.child.kill(second);
      const run = await started.ended;
      expect(performance.now() - sent).toBeLessThan(1000);
      expect(run.status).toBe(status);
      expect(run.stderr.slice(run.stderr.indexOf('error'))).toBe(
        [
          `error INTERRUPTED: interrupted again, by ${second}, and ended at once`,
          '  why:  temporary files and a lock may be left; a place that was being written has what it had, or the new image',
          '  fix:  nothing: the next command sweeps what is left',
          '',
        ].join('\n'),
      );
      await untilNoProcess();
      expect((await cli.run(['build', app, ...flags])).status).toBe(0);
      expect((await cli.traces()).temporary).toEqual([]);
    },
  );

  it('FLT-11 says so as data with --json at a second signal too', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: IGNORES }));
    const started = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp, '--json']);
    await started.says('begun');
    started.child.kill('SIGINT');
    await sleep(100);
    started.child.kill('SIGINT');
    const { status, stdout } = await started.ended;
    expect(status).toBe(130);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'error', code: 'INTERRUPTED' });
    await untilNoProcess();
  });

  it('FLT-1 leaves to the next build to sweep what a killed one could not, with no process alive', async () => {
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

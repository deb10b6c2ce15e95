import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../../../src/buildpack/compile.js';
import { detect } from '../../../src/buildpack/detect.js';
import { environmentWithExports } from '../../../src/buildpack/exports.js';
import type { PlacedBuildpack } from '../../../src/buildpack/script.js';
import { hostPath } from '../../../src/buildpack/workspace.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { type Bench, type BenchHall, failureOf, openHall } from './bench.js';

let hall: BenchHall;
beforeAll(async () => {
  hall = await openHall();
});
afterAll(async () => {
  await hall.close();
});

/** Compiles all but the last, and gives the environment of the last. */
async function exportsOf(bench: Bench, ...fixtures: readonly string[]) {
  const placed: PlacedBuildpack[] = [];
  for (const fixture of fixtures) placed.push(await bench.place(fixture));
  const next = placed.pop() as PlacedBuildpack;
  for (const buildpack of placed) await compile(buildpack, bench.tools);
  return { env: await environmentWithExports(placed, next, bench.tools), next };
}

describe('environmentWithExports', () => {
  it('R60 R61 R63 sources bash at the top level, where declare -x makes globals, and takes only exported names', async () => {
    const bench = await hall.bench();
    const { env } = await exportsOf(bench, 'export-declare', 'show-env');
    expect(env).toEqual({
      ...bench.tools.env,
      PATH: `/tmp/build_app/bin:${bench.tools.env['PATH']}`,
      FROM_ONE: 'ONE',
      FROM_TWO: 'TWO',
    });
  });

  it('R62 takes a file that ends in a false test, uses unset names and sets -eu', async () => {
    const { env } = await exportsOf(await hall.bench(), 'export-false', 'export-declare', 'show-env');
    expect(env).toMatchObject({ FROM_FALSE: 'kept', FROM_TWO: 'TWO' });
  });

  it('R63 lays the files over each other in order', async () => {
    const bench = await hall.bench();
    const { env } = await exportsOf(bench, 'export-declare', 'export-declare', 'show-env');
    expect(env['PATH']).toBe(`/tmp/build_app/bin:/tmp/build_app/bin:${bench.tools.env['PATH']}`);
  });

  it('R64 keeps values of several lines and nothing that bash sets by itself', async () => {
    const { env } = await exportsOf(await hall.bench(), 'export-multiline', 'show-env');
    expect(env['LINES_OF_TEXT']).toBe('one\ntwo\n');
    for (const name of ['_', 'SHLVL', 'PWD', 'OLDPWD']) expect(Object.keys(env)).not.toContain(name);
  });

  it('R65 is in force for detect and compile of later buildpacks', async () => {
    const bench = await hall.bench();
    const { env, next } = await exportsOf(bench, 'export-declare', 'show-env');
    await detect(next, { ...bench.tools, env });
    await compile(next, { ...bench.tools, env });
    expect(bench.output()).toContain('detect FROM_ONE=ONE\n');
    expect(await readFile(hostPath(bench.workspace, '/tmp/build_app/env'), 'utf8')).toContain('FROM_TWO=TWO\0');
    expect(await bench.read('/tmp/build_app/cwd')).toBe('/tmp/buildpacks/2\n');
  });

  it('R57 hands on nothing else', async () => {
    const bench = await hall.bench();
    const { env } = await exportsOf(bench, 'env-leaker', 'show-env');
    expect(env).toEqual(bench.tools.env);
  });

  it.each([
    ['export-exit', 'it printed nothing'],
    ['export-syntax', 'syntax error'],
  ])('R62 names the buildpack of an export file that cannot be used (%s)', async (fixture, evidence) => {
    const failure = await failureOf(
      exportsOf(await hall.bench(), 'export-declare', fixture, 'export-false', 'show-env'),
    );
    expect(failure).toMatchObject({ code: 'EXPORT_INVALID', what: `the export file of ./${fixture} cannot be used` });
    expect(failure.why).toContain(evidence === 'it printed nothing' ? 'ended the shell' : evidence);
  });

  it('works without isolation', async () => {
    const bench = await hall.bench({ sandbox: hostSandbox() });
    const { env } = await exportsOf(bench, 'export-declare', 'show-env');
    expect(env).toMatchObject({ FROM_ONE: 'ONE', HOME: hostPath(bench.workspace, '/app') });
  });
});

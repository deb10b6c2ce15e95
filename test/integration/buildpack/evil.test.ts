import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../../../src/buildpack/compile.js';
import { detect } from '../../../src/buildpack/detect.js';
import { release } from '../../../src/buildpack/release.js';
import { runScript, type ScriptTools } from '../../../src/buildpack/script.js';
import { hostPath } from '../../../src/buildpack/workspace.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { HOST_USR } from '../../support/tiny-root.js';
import { type Bench, type BenchHall, openHall } from './bench.js';

interface Outcome {
  readonly probe: string;
  readonly held: boolean;
  readonly saw: string;
}

const SECRETS = [
  'REGISTRY_PASSWORD',
  'AWS_SECRET_ACCESS_KEY',
  'GITHUB_TOKEN',
  'NPM_TOKEN',
  'DOCKER_CONFIG',
  'SSH_AUTH_SOCK',
];
const CANARY = ['c4', 'nary'].join('');

let hall: BenchHall;
let home: string;

beforeAll(async () => {
  hall = await openHall();
  home = await hall.temp('home');
  await mkdir(join(home, '.docker'));
  await writeFile(join(home, '.docker/config.json'), CANARY);
  for (const name of SECRETS) process.env[name] = CANARY;
});

afterAll(async () => {
  for (const name of SECRETS) delete process.env[name];
  await hall.close();
});

/** A bench whose root has this machine's Python. */
async function evilBench(env: Record<string, string> = {}, sandbox = undefined as ScriptTools['sandbox'] | undefined) {
  const bench = await hall.bench({ ...(sandbox ? { sandbox } : {}), buildEnv: { EVIL_HOME: home, ...env } });
  const workspace = { ...bench.workspace, mounts: [HOST_USR, ...bench.workspace.mounts] };
  return { ...bench, workspace, tools: { ...bench.tools, workspace } };
}

function outcomes(bench: Bench): readonly Outcome[] {
  return bench
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Outcome);
}

function open(found: readonly Outcome[]): readonly string[] {
  return found.filter(({ held }) => !held).map(({ probe, saw }) => `${probe}: ${saw}`);
}

describe('an evil buildpack in bubblewrap', () => {
  it.each([
    ['SBX-1', 'identity', 9],
    ['SBX-2', 'calls sockets', 30],
    ['SBX-3', 'setuid_copy', 3],
    ['SBX-4', 'processes machine', 18],
    ['SBX-5 SBX-6', 'terminal', 5],
    ['SBX-7', 'secrets files', 4],
    ['SBX-8', 'network', 6],
  ])('%s finds nothing open in compile with %s', async (_, probes, least) => {
    const bench = await evilBench({ EVIL_ONLY: probes });
    await compile(await bench.place('evil'), bench.tools);
    const found = outcomes(bench);
    expect(open(found)).toEqual([]);
    expect(found.length).toBeGreaterThanOrEqual(least);
  });

  it('SBX-12 cannot write BUILD_DIR in detect and release, by any name', async () => {
    const bench = await evilBench({ EVIL_ONLY: 'directories' });
    const buildpack = await bench.place('evil');
    const dir = hostPath(bench.workspace, bench.workspace.buildDir);
    const before = await stat(dir);
    await detect(buildpack, bench.tools);
    await release(buildpack, bench.tools);
    expect(open(outcomes(bench))).toEqual([]);
    expect(outcomes(bench).length).toBeGreaterThanOrEqual(10);
    expect([(await stat(dir)).mtimeMs, (await stat(dir)).mode]).toEqual([before.mtimeMs, before.mode]);
    expect(await readdir(dir)).toEqual([]);
  });

  it('SBX-12 SBX-13 leaves no process behind from one phase to the next', async () => {
    const bench = await evilBench({ EVIL_ONLY: 'stay' });
    const alive = join(bench.workspace.hostDir, 'tmp/evil-alive');
    await compile(await bench.place('evil'), bench.tools);
    await stat(alive);
    await rm(alive);
    await sleep(200);
    await expect(stat(alive)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('R43 finds nothing open as root within the sandbox, but the name', async () => {
    const bench = await evilBench({ EVIL_ONLY: 'identity calls sockets processes machine secrets files' });
    await compile(await bench.place('evil'), { ...bench.tools, user: 'root' });
    expect(open(outcomes(bench)).map((line) => line.split(':')[0])).toEqual(['uid']);
  });
});

describe('an evil buildpack without isolation', () => {
  it('SBX-7 gets nothing of the environment, and all else: the probes can see', async () => {
    const bench = await evilBench({ EVIL_ONLY: 'secrets machine' }, hostSandbox());
    const all: Buffer[] = [];
    await runScript(
      await bench.place('evil'),
      {
        script: 'bin/compile',
        args: [bench.workspace.buildDir],
        looking: false,
        output: 'merged',
        timeoutMs: 20_000,
        onOutput: (chunk) => all.push(Buffer.from(chunk)),
      },
      bench.tools,
    );
    const found = Buffer.concat(all)
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Outcome);
    const held = new Map(found.map(({ probe, held }) => [probe, held]));
    for (const probe of ['environment', 'secret-names']) expect([probe, held.get(probe)]).toEqual([probe, true]);
    for (const probe of ['homes', 'hostname', 'sys', 'sys-net'])
      expect([probe, held.get(probe)]).toEqual([probe, false]);
  });
});

import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../../../src/buildpack/compile.js';
import type { SandboxLimits } from '../../../src/sandbox/cgroup.js';
import { type BenchHall, failureOf, openHall } from './bench.js';

let hall: BenchHall;
beforeAll(async () => {
  hall = await openHall();
});
afterAll(async () => {
  await hall.close();
});

async function benchWith(limits: SandboxLimits) {
  const bench = await hall.bench();
  return { ...bench, tools: { ...bench.tools, limits } };
}

async function ownGroups(): Promise<readonly string[]> {
  const lists = await Promise.all(['memory', 'pids'].map((name) => readdir(`/sys/fs/cgroup/${name}`).catch(() => [])));
  return lists.flat().filter((name) => name.startsWith(`pack-build-${process.pid}-`));
}

describe('limits of a script', () => {
  it('SBX-9 stops one that takes more memory than it may, and says so', async () => {
    const { tools, place } = await benchWith({ memoryBytes: 64e6 });
    expect(await failureOf(compile(await place('memory-eater'), tools))).toMatchObject({
      code: 'MEMORY_EXCEEDED',
      what: 'bin/compile of ./memory-eater took more memory than it may',
      why: 'the limit is 64000000 bytes',
    });
    expect(await ownGroups()).toEqual([]);
  });

  it('SBX-9 stops one that starts more processes than it may, and says so', async () => {
    const { tools, place } = await benchWith({ processes: 40 });
    expect(await failureOf(compile(await place('process-eater'), tools))).toMatchObject({
      code: 'PROCESSES_EXCEEDED',
      what: 'bin/compile of ./process-eater started more processes than it may',
      why: 'the limit is 40',
    });
    expect(await ownGroups()).toEqual([]);
  });

  it('SBX-9 lets one be that stays below', async () => {
    const { tools, place, events } = await benchWith({ memoryBytes: 256e6, processes: 100 });
    await compile(await place('echo-args'), tools);
    expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
    expect(await ownGroups()).toEqual([]);
  });
});

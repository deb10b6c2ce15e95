import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BUILDPACKS, type Files, run } from './support.js';

const PRINT = '. "$0"; echo "$WEB_CONCURRENCY"; compgen -A function _ || :';

const workers = (buildpack: string, env: Files): string =>
  run(['bash', '-c', PRINT, join(BUILDPACKS, buildpack, 'profile/WEB_CONCURRENCY.sh')], { env }).stdout;

describe('WEB_CONCURRENCY of nodejs', () => {
  it.each([
    ['2048', '4'],
    ['256', '1'],
    ['999999', '1'],
    ['plenty', '1'],
  ])('for %s MiB is %s', (memory, expected) => {
    expect(workers('nodejs', { MEMORY_AVAILABLE: memory })).toBe(`${expected}\n`);
  });

  it('follows WEB_MEMORY', () => {
    expect(workers('nodejs', { MEMORY_AVAILABLE: '2048', WEB_MEMORY: '256' })).toBe('8\n');
  });
});

describe('WEB_CONCURRENCY of python', () => {
  it('for 512 MiB is 2', () => {
    expect(workers('python', { MEMORY_AVAILABLE: '512' })).toBe('2\n');
  });

  it('is never above two for each processor and one', () => {
    expect(Number(workers('python', { MEMORY_AVAILABLE: '999999' })) % 2).toBe(1);
  });
});

describe.each(['nodejs', 'python'])('a preset WEB_CONCURRENCY', (buildpack) => {
  it(`is kept by ${buildpack}`, () => {
    expect(workers(buildpack, { WEB_CONCURRENCY: '7', MEMORY_AVAILABLE: '2048' })).toBe('7\n');
  });
});

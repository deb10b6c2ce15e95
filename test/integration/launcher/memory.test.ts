// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from '@jest/globals';
import { type Files, run } from './image.js';

const MiB = 1024 * 1024;

/** MEMORY_AVAILABLE as a profile script sees it, under these control groups; files are below /sys/fs/cgroup. */
async function memory(groups: string, files: Files, env: Record<string, string> = {}): Promise<string> {
  const limits = Object.entries(files).map(([path, content]) => [`/sys/fs/cgroup/${path}`, content] as const);
  const outcome = await run({
    app: { '.profile': 'echo "${MEMORY_AVAILABLE-unset}"' },
    args: ['echo "${WEB_CONCURRENCY-unset}"'],
    env,
    mounts: { '/proc/1/cgroup': groups, ...Object.fromEntries(limits) },
  });
  expect(outcome).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\nunset\n$/) });
  return outcome.stdout.replace('\nunset\n', '');
}

const v1 = (group: string) => `9:name=systemd:/\n5:cpu,cpuacct:${group}\n4:memory:${group}\n0::/\n`;

describe('launcher, finding the memory limit', () => {
  it('R111 reads memory.max of its own group in cgroup v2, in MiB', async () => {
    expect(await memory('0::/\n', { 'memory.max': `${512 * MiB}\n`, 'memory.high': 'max\n' })).toBe('512');
    expect(await memory('0::/a/b\n', { 'a/b/memory.max': `${256 * MiB + 5}\n` })).toBe('256');
  });

  it('R111 prefers memory.high when it is lower', async () => {
    expect(await memory('0::/\n', { 'memory.high': `${300 * MiB}\n`, 'memory.max': `${512 * MiB}\n` })).toBe('300');
    expect(await memory('0::/\n', { 'memory.high': `${512 * MiB}\n`, 'memory.max': `${300 * MiB}\n` })).toBe('300');
  });

  it('R111 honours the limits of the groups above', async () => {
    const files = { 'a/b/memory.max': 'max\n', 'a/memory.max': `${128 * MiB}\n`, 'memory.max': `${256 * MiB}\n` };
    expect(await memory('0::/a/b\n', files)).toBe('128');
    expect(await memory('0::/elsewhere/x\n', { 'memory.max': `${64 * MiB}\n` })).toBe('64');
  });

  it('R111 reads memory.limit_in_bytes of its own group in cgroup v1', async () => {
    const files = {
      'memory/a/memory.limit_in_bytes': `${512 * MiB}\n`,
      'memory/memory.limit_in_bytes': '9223372036854771712\n',
    };
    expect(await memory(v1('/a'), files)).toBe('512');
  });

  it('R111 reads the plain cgroup v1 file when its own group is not below the mount', async () => {
    expect(await memory(v1('/docker/1f'), { 'memory/memory.limit_in_bytes': `${1024 * MiB}\n` })).toBe('1024');
    expect(await memory('', { 'memory/memory.limit_in_bytes': `${1024 * MiB}\n` })).toBe('1024');
  });

  it('R111 ignores max, 0, nonsense, and more than 8 TiB', async () => {
    for (const none of [
      'max',
      '0',
      '',
      'x[$(echo 1 >&2)]',
      '9223372036854771712',
      '18446744073709551615',
      '8796093022209',
    ]) {
      expect(await memory('0::/\n', { 'memory.max': `${none}\n` })).toBe('unset');
      expect(await memory(v1('/'), { 'memory/memory.limit_in_bytes': `${none}\n` })).toBe('unset');
    }
    expect(await memory('0::/\n', { 'memory.max': '8796093022208\n' })).toBe('8388608');
  });

  it('R111 leaves MEMORY_AVAILABLE alone when it is set, and unset without any control group', async () => {
    expect(await memory('0::/\n', { 'memory.max': `${512 * MiB}\n` }, { MEMORY_AVAILABLE: '99' })).toBe('99');
    expect(await memory('0::/\n', { 'memory.max': `${512 * MiB}\n` }, { MEMORY_AVAILABLE: '' })).toBe('512');
    expect(await memory('', {})).toBe('unset');
  });

  it('R112 never sets WEB_CONCURRENCY', async () => {
    const outcome = await run({
      processes: { web: 'echo ${WEB_CONCURRENCY-unset}' },
      args: ['web'],
      mounts: { '/sys/fs/cgroup/memory.max': `${512 * MiB}\n` },
    });
    expect(outcome.stdout).toBe('unset\n');
  });
});

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pipe } from '../../../src/system/pipe.js';
import { type ProcessRequest, runProcess } from '../../../src/system/process.js';

const env = { PATH: '/usr/bin:/bin' };
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function bash(script: string, more: Partial<ProcessRequest> = {}) {
  return runProcess({ file: 'bash', args: ['-c', script], env, cwd: dir, ...more });
}

describe('runProcess', () => {
  it('returns the status, the bytes of stdout and the last lines of stderr', async () => {
    const result = await bash(
      'printf "a\\n\\0b"; for i in {1..30}; do echo "line $i" >&2; done; printf "\\033[31mred\\r" >&2; exit 4',
    );
    expect(result).toMatchObject({ code: 4, killedBy: undefined, timedOut: false, truncated: false });
    expect(Buffer.from(result.stdout).toString('latin1')).toBe('a\n\0b');
    expect(result.lastLines).toHaveLength(20);
    expect(result.lastLines.slice(-2)).toEqual(['line 30', 'red']);
  });

  it('keeps no more of stdout than was asked for', async () => {
    const result = await bash('printf 123456789', { maxCapture: 4 });
    expect([Buffer.from(result.stdout).toString(), result.truncated]).toEqual(['1234', true]);
  });

  it('gives the program what it reads, and nothing when there is nothing', async () => {
    async function* chunks() {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    }
    const read = async (stdin: ProcessRequest['stdin']) =>
      Buffer.from((await bash('cat', { stdin })).stdout).toString();
    expect([await read('text'), await read(Buffer.from('bytes')), await read(chunks()), await read(undefined)]).toEqual(
      ['text', 'bytes', 'one two', ''],
    );
  });

  it('survives a program that does not read its input', async () => {
    expect((await bash('exit 0', { stdin: Buffer.alloc(1_000_000) })).code).toBe(0);
  });

  it('R33 inherits nothing of the environment', async () => {
    const { stdout } = await runProcess({ file: '/usr/bin/env', args: [], env: { A: '1' } });
    expect(Buffer.from(stdout).toString()).toBe('A=1\n');
  });

  it('names the signal that ended the program', async () => {
    expect(await bash('kill -KILL $$')).toMatchObject({ code: undefined, killedBy: 'SIGKILL' });
  });

  it.each(['tool', 'merged', 'split'] as const)(
    'R46 ends although a daemon holds the output (%s), and kills it',
    async (output) => {
      const from = performance.now();
      const result = await bash('(while :; do date > alive; sleep 0.05; done) & echo started', { output });
      expect(performance.now() - from).toBeLessThan(20_000);
      expect(Buffer.from(result.stdout).toString()).toBe('started\n');
      await rm(join(dir, 'alive'), { force: true });
      await sleep(150);
      await expect(stat(join(dir, 'alive'))).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('R46 hears what is still to come from a filter of the output', async () => {
    const result = await bash('exec > >(sleep 0.2; sed s/^/x/); echo last', { output: 'merged' });
    expect(Buffer.from(result.stdout).toString()).toBe('xlast\n');
  });

  it('R45 ends the whole group when the time is over', async () => {
    const result = await bash('sleep 50 & echo $! > child; sleep 50', { timeoutMs: 300 });
    expect(result).toMatchObject({ killedBy: 'SIGTERM', timedOut: true });
    expect(Buffer.from((await bash('ps -o stat= -p $(cat child)')).stdout).toString()).toMatch(/^(Z.*\n)?$/);
  });

  it('R45 kills what ignores the signal to end', async () => {
    expect(await bash('trap "" TERM; sleep 50', { timeoutMs: 100 })).toMatchObject({
      killedBy: 'SIGKILL',
      timedOut: true,
    });
  });

  it('throws INTERRUPTED when it is aborted, before and after the start', async () => {
    await expect(bash('touch ran', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(stat(join(dir, 'ran'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(bash('sleep 50', { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('names a missing program and the command that installs it', async () => {
    await expect(runProcess({ file: 'mmdebstrap-none', args: [], env })).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      fix: 'apt-get install mmdebstrap-none',
    });
  });

  it('names a directory that does not exist', async () => {
    await expect(bash('true', { cwd: join(dir, 'none') })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      why: expect.stringContaining('none does not exist'),
    });
  });

  it('names a file that may not be executed', async () => {
    await writeFile(join(dir, 'plain'), '');
    await expect(runProcess({ file: join(dir, 'plain'), args: [], env })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      details: { reason: 'EACCES' },
    });
  });

  it('runs as another user', async () => {
    const result = await runProcess({ file: 'id', args: ['-u'], env, cwd: '/', uid: 65534, gid: 65534 });
    expect(Buffer.from(result.stdout).toString()).toBe('65534\n');
  });

  it('passes descriptors above 2 both ways', async () => {
    let taken = '';
    const take = ({ reader }: Pipe) => {
      reader.on('data', (chunk: Uint8Array) => {
        taken += Buffer.from(chunk).toString();
      });
    };
    await bash('cat <&5 >&7', {
      descriptors: [
        { fd: 5, give: Buffer.from('secret') },
        { fd: 7, take },
      ],
    });
    expect(taken).toBe('secret');
  });
});

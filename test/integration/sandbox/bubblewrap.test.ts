import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bubblewrap } from '../../../src/sandbox/bubblewrap.js';
import type { Exit, Mount, SandboxCommand } from '../../../src/sandbox/sandbox.js';
import { isFailure } from '../../../src/values/error.js';
import { makeTinyRoot } from '../../support/tiny-root.js';

let work: string;
let root: string;
let mounts: readonly Mount[];
const sandbox = bubblewrap({ env: { PATH: '/usr/bin' } });

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  root = await makeTinyRoot(join(work, 'root'));
  for (const name of ['tmp', 'app', 'fixed']) await mkdir(join(work, name));
  await writeFile(join(work, 'fixed/file'), 'fixed');
  mounts = [
    { from: join(work, 'tmp'), to: '/tmp', writable: true },
    { from: join(work, 'app'), to: '/app', writable: true },
    { from: join(work, 'fixed'), to: '/buildpack', writable: false },
  ];
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function bash(
  script: string,
  more: Partial<SandboxCommand> = {},
): Promise<{ exit: Exit; output: string; errors: string }> {
  const output: Uint8Array[] = [];
  const errors: Uint8Array[] = [];
  const exit = await sandbox.run({
    root,
    mounts,
    argv: ['/bin/bash', '-c', script],
    cwd: '/tmp',
    env: { PATH: '/usr/bin:/bin' },
    network: 'host',
    output: 'split',
    onOutput: (chunk, stream) => (stream === 'stdout' ? output : errors).push(chunk),
    ...more,
  });
  return { exit, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() };
}

describe('bubblewrap', () => {
  it('SBX-1 runs as uid 1000 with no capabilities and no way to new ones', async () => {
    const { output } = await bash('id -u; id -g; cat /proc/self/status');
    expect(output).toMatch(/^1000\n1000\n/);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb'])
      expect(output).toContain(`${set}:\t0000000000000000`);
    expect(output).toContain('NoNewPrivs:\t1');
  });

  it('SBX-2 makes no user namespace, mount or device inside', async () => {
    const { output } = await bash(
      'unshare -Ur true && echo userns; mount -t tmpfs x /tmp && echo mount; mknod /tmp/n c 1 3 && echo node; true',
    );
    expect(output).toBe('');
  });

  it('SBX-4 shows only its own processes, and nothing of bwrap but its name', async () => {
    const { output } = await bash(
      'cd /proc; echo [0-9]*; tr "\\0" " " < 1/cmdline; tr "\\0" " " < 1/environ; cat self/cgroup | wc -l',
    );
    expect(output.split('\n')[0]).toMatch(/^1 2( \d)?$/);
    expect(output).not.toContain(work);
    expect(output).not.toContain('PATH=');
  });

  it('SBX-4 has a host name of its own', async () => {
    const { output } = await bash('hostname');
    expect(output).toBe('build\n');
    expect(output.trim()).not.toBe(hostname());
  });

  it('SBX-4 hides files of the host', async () => {
    const { output } = await bash('ls -A /root /home /run /sys; cat /etc/machine-id; test -e /work && echo work; true');
    expect(output).toBe('/home:\n\n/root:\n\n/run:\n\n/sys:\n');
  });

  it('SBX-5 has no descriptor but stdin, stdout and stderr', async () => {
    const { output } = await bash('for n in {0..400}; do [ -e /proc/$$/fd/$n ] && echo $n; done; true');
    expect(output).toBe('0\n1\n2\n');
  });

  it('SBX-6 reads nothing and has no terminal', async () => {
    const { output } = await bash('readlink /proc/self/fd/0; tty; wc -c; (: < /dev/tty) 2>&1; ps -o sid= -p $$');
    expect(output).toContain('/dev/null\nnot a tty\n0\n');
    expect(output).toContain('/dev/tty: No such device or address');
  });

  it('R33 has the given environment and nothing else', async () => {
    const env = { PATH: '/usr/bin', ONE: 'a\nb', EMPTY: '', 'od.d': '=x' };
    const { output } = await bash('', { argv: ['/usr/bin/env', '-0'], env });
    expect(output.split('\0').sort()).toEqual(
      ['', 'EMPTY=', 'ONE=a\nb', 'PATH=/usr/bin', 'PWD=/tmp', 'od.d==x'].sort(),
    );
  });

  it('keeps the environment out of the command line that others can read', async () => {
    const running = bash('sleep 1', { env: { PATH: '/usr/bin', SECRET: 'c4nary-value' } });
    await sleep(300);
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
    await running;
    expect(stdout).not.toContain('c4nary-value');
  });

  it('starts in the given directory', async () => {
    expect((await bash('pwd', { cwd: '/buildpack' })).output).toBe('/buildpack\n');
  });

  it('writes only where a mount is writable', async () => {
    const { output } = await bash(
      'for f in /x /usr/x /etc/x /buildpack/x /etc/hosts /app/x /tmp/x; do (echo y > $f) 2>/dev/null && echo $f; done; true',
    );
    expect(output).toBe('/app/x\n/tmp/x\n');
    expect((await stat(join(work, 'app/x'))).uid).toBe(process.getuid?.());
  });

  it('R22 renames and hard-links between directories of one mount', async () => {
    const { exit } = await bash('cd /tmp; mkdir a b; echo x > a/f; ln a/f b/g; mv a/f b/h; test b/g -ef b/h');
    expect(exit.code).toBe(0);
  });

  it('R125 shows name resolution and the CA bundle of the host, read-only', async () => {
    const { output } = await bash('cat /etc/hosts; wc -c < /etc/ssl/certs/ca-certificates.crt');
    expect(output).toContain((await readFile('/etc/hosts', 'utf8')).trim());
    expect(Number(output.trim().split('\n').at(-1))).toBeGreaterThan(1000);
  });

  it('SBX-8 has only a loopback when the network is none', async () => {
    const { output } = await bash('cat /proc/net/dev', { network: 'none' });
    expect([...output.matchAll(/^\s*(\w+):/gm)].map(([, name]) => name)).toEqual(['lo']);
  });

  it('reports the exit status of the program', async () => {
    expect((await bash('exit 7')).exit).toEqual({ code: 7, killedBy: undefined, timedOut: false });
  });

  it('R48 reports the signal that killed the program', async () => {
    expect((await bash('kill -SEGV $$')).exit).toEqual({ code: undefined, killedBy: 'SIGSEGV', timedOut: false });
  });

  it('R48 throws when the program does not exist, and says which', async () => {
    const failure = await bash('', { argv: ['/buildpack/bin/none'] }).catch((error) => error);
    expect(isFailure(failure, 'SANDBOX_FAILED')).toBe(true);
    expect(failure.message).toBe('/buildpack/bin/none could not be started in the sandbox');
    expect(failure.why).toContain('No such file or directory');
  });

  it('R8 runs a script without a first line for the interpreter', async () => {
    await writeFile(join(work, 'fixed/plain'), 'echo plain "$@"\n', { mode: 0o755 });
    expect((await bash('', { argv: ['/buildpack/plain', 'a b'] })).output).toBe('plain a b\n');
  });

  it('names a mount point that the base lacks', async () => {
    const failure = await bash('', { mounts: [{ from: work, to: '/no/such', writable: false }] }).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({
      code: 'SANDBOX_FAILED',
      fix: expect.stringContaining('make /no/such in the base'),
    });
  });

  it('R54 keeps the order of 2000 lines on alternating streams, byte for byte', async () => {
    const script = 'for i in {1..1000}; do echo "out $i"; echo "err $i" >&2; done; printf "\\r\\033[1mend"';
    const { output } = await bash(script, { output: 'merged' });
    const lines = Array.from({ length: 1000 }, (_, i) => `out ${i + 1}\nerr ${i + 1}\n`).join('');
    expect(output).toBe(`${lines}\r\u001b[1mend`);
  });

  it('lets scripts open /dev/stdout and /dev/stderr', async () => {
    const { output, errors } = await bash('echo a > /dev/stdout; echo b > /dev/stderr; echo c | tee /dev/stderr');
    expect([output, errors]).toEqual(['a\nc\n', 'b\nc\n']);
  });

  it('R46 ends when the program has ended, and kills the daemon that it left with its output open', async () => {
    const { exit, output } = await bash(
      '(trap "" TERM HUP; while :; do date > /tmp/alive; sleep 0.05; done) & setsid sleep 60 & echo done',
    );
    expect([exit.code, output]).toEqual([0, 'done\n']);
    await rm(join(work, 'tmp/alive'), { force: true });
    await sleep(200);
    await expect(stat(join(work, 'tmp/alive'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('R45 gives the program time to end in good order when its time is over', async () => {
    const { exit, output } = await bash('trap "echo bye; exit 3" TERM; while :; do sleep 0.05; done', {
      timeoutMs: 400,
    });
    expect(exit).toEqual({ code: 3, killedBy: undefined, timedOut: true });
    expect(output).toBe('bye\n');
  });

  it('R45 kills soon what ignores the signal to end', async () => {
    const abort = new AbortController();
    const running = bash('trap "" TERM INT; echo started; while :; do date > /tmp/stubborn; sleep 0.05; done', {
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 300);
    const from = performance.now();
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(performance.now() - from).toBeLessThan(10_000);
    await rm(join(work, 'tmp/stubborn'), { force: true });
    await sleep(150);
    await expect(stat(join(work, 'tmp/stubborn'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves no process, descriptor or pipe behind', async () => {
    const pipes = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('pack-build-pipe-'));
    const [before, others] = [await readdir('/proc/self/fd'), new Set(await pipes())];
    for (let i = 0; i < 3; i += 1) await bash('sleep 30 & echo x', { output: 'merged' });
    await sleep(50);
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before.length);
    // Other tests run at the same time and have pipes there too, which go away: ours would stay.
    let left = (await pipes()).filter((name) => !others.has(name));
    for (let i = 0; i < 600 && left.length > 0; i += 1) {
      await sleep(100);
      const there = new Set(await pipes());
      left = left.filter((name) => there.has(name));
    }
    expect(left).toEqual([]);
  });
});

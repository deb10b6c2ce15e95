import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileSources } from '../../support/compiled.js';
import { makeTinyRoot } from '../../support/tiny-root.js';

/** The caller: runs one bash script in a sandbox and prints what it printed and how it ended. */
const CALLER = `
import { bubblewrap } from './sandbox/bubblewrap.js';
const [root, tmp, script, output, user] = process.argv.slice(2);
const exit = await bubblewrap({ env: { PATH: '/usr/bin:/bin' } }).run({
  root,
  mounts: [{ from: tmp, to: '/tmp', writable: true }],
  argv: ['/bin/bash', '-c', script],
  cwd: '/tmp',
  env: { PATH: '/usr/bin:/bin' },
  network: 'none',
  user,
  output,
  onOutput: (chunk) => process.stdout.write(chunk),
});
process.stdout.write(JSON.stringify(exit));
`;

let work: string;
let root: string;
let tmp: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  await chmod(work, 0o755);
  root = await makeTinyRoot(join(work, 'root'));
  tmp = join(work, 'tmp');
  await mkdir(tmp);
  await compileSources(join(work, 'lib'), ['values', 'system', 'sandbox']);
  await writeFile(join(work, 'lib/caller.js'), CALLER);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

function callerArguments(script: string, output = 'split', user = 'app'): string[] {
  return [join(work, 'lib/caller.js'), root, tmp, script, output, user];
}

async function childrenOf(sandboxMark: string): Promise<string> {
  return (await promisify(execFile)('ps', ['-eo', 'pid,stat,args'])).stdout
    .split('\n')
    .filter((line) => line.includes(sandboxMark) && !/^\s*\d+ Z/.test(line))
    .join('\n');
}

async function untilFile(path: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 200 && child.exitCode === null; i += 1) {
    if (await stat(path).catch(() => undefined)) return;
    await sleep(25);
  }
  throw new Error(`${path} did not appear`);
}

describe('bubblewrap, called from a process of its own', () => {
  it('SBX-5 keeps descriptors that the caller itself inherited from the sandbox', async () => {
    const opened = Array.from({ length: 50 }, (_, i) => `${i + 3}</etc/passwd`).join(' ');
    const list = 'for n in {0..400}; do [ -e /proc/$$/fd/$n ] && echo $n; done; true';
    const command = `exec ${opened} 251</etc/passwd; exec "$@"`;
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      command,
      'bash',
      process.execPath,
      ...callerArguments(list),
    ]);
    expect(stdout).toBe('0\n1\n2\n{"code":0,"timedOut":false}');
  });

  it.each([0.02, 0.15, 0.4])('SBX-10 leaves no process when the caller is killed after %d s', async (seconds) => {
    const mark = `77.${Math.trunc(seconds * 1000)}`;
    const script = `trap "" TERM HUP INT; setsid sleep ${mark} & (sleep ${mark}; :) & touch /tmp/up-${mark}; sleep ${mark}`;
    const child = spawn(process.execPath, callerArguments(script), { stdio: 'ignore' });
    await untilFile(join(tmp, `up-${mark}`), child);
    await sleep(seconds * 1000);
    expect(await childrenOf(`sleep ${mark}`)).not.toBe('');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await sleep(300);
    expect(await childrenOf(`sleep ${mark}`)).toBe('');
  });

  it('SBX-10 leaves no process when callers are killed at twenty random moments', async () => {
    const mark = '78.125';
    for (let at = 0; at < 20; at += 1) {
      const child = spawn(process.execPath, callerArguments(`setsid sleep ${mark} & sleep ${mark}`), {
        stdio: 'ignore',
      });
      await sleep(40 + Math.random() * 300);
      child.kill('SIGKILL');
    }
    await sleep(2000);
    expect(await childrenOf(`sleep ${mark}`)).toBe('');
    expect(await childrenOf(work)).toBe('');
  }, 60_000);

  it('SBX-11 refuses to start in a worker thread, whose end would be the end of the sandbox', async () => {
    await writeFile(
      join(work, 'lib/in-worker.js'),
      `import { Worker } from 'node:worker_threads';
      new Worker(new URL('./caller.js', import.meta.url), { argv: process.argv.slice(2) }).on('error', (error) => {
        console.log(error.code, error.message);
      });`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(work, 'lib/in-worker.js'),
      ...callerArguments('echo started').slice(1),
    ]);
    expect(stdout).toBe('SANDBOX_FAILED a sandbox cannot be started from a worker thread\n');
  });

  it('runs for an ordinary user as it does for root', async () => {
    await chown(tmp, 65534, 65534);
    const as = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
    const script = 'id -u; grep CapEff /proc/self/status; echo mine > /tmp/mine; stat -c %u /tmp/mine; exit 5';
    const { stdout } = await promisify(execFile)('setpriv', [...as, ...callerArguments(script)], { cwd: '/' });
    expect(stdout).toBe('1000\nCapEff:\t0000000000000000\n1000\n{"code":5,"timedOut":false}');
    expect((await stat(join(tmp, 'mine'))).uid).toBe(65534);
  });

  it('R43 has root inside for an ordinary user too, with no more rights', async () => {
    await chown(tmp, 65534, 65534);
    const as = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
    const script =
      'id -u; grep CapEff /proc/self/status; echo root > /tmp/roots; stat -c %u /tmp/roots; touch /x 2>&1 | wc -l';
    const args = [...as, ...callerArguments(script, 'split', 'root')];
    const { stdout } = await promisify(execFile)('setpriv', args, { cwd: '/' });
    expect(stdout).toBe('0\nCapEff:\t0000000000000000\n0\n1\n{"code":0,"timedOut":false}');
    expect((await stat(join(tmp, 'roots'))).uid).toBe(65534);
  });

  it('gives a process that the user talks to the streams of the caller', async () => {
    const child = spawn(process.execPath, callerArguments('read line; echo "got $line"', 'inherit'), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stdin.end('hello\n');
    await once(child, 'close');
    expect(output).toBe('got hello\n{"code":0,"timedOut":false}');
  });
});

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bubblewrap } from '../../../src/sandbox/bubblewrap.js';
import { HOST_USR, makeTinyRoot } from '../../support/tiny-root.js';

/** Programs that start threads, compile, and ask the kernel for much: each prints `ran`. */
const PROGRAMS: Readonly<Record<string, readonly [needs: string, script: string]>> = {
  node: [
    '/usr/bin/node',
    `node -e 'new (require("worker_threads").Worker)("require(\\"child_process\\").execSync(\\"true\\"); console.log(\\"ran\\")", { eval: true }); require("os").networkInterfaces()'`,
  ],
  python: [
    '/usr/bin/python3',
    `/usr/bin/python3 -c 'import subprocess, threading; t = threading.Thread(target=lambda: subprocess.run(["echo", "ran"])); t.start(); t.join()'`,
  ],
  perl: ['/usr/bin/perl', `perl -e 'system("echo", "ran")'`],
  ruby: ['/usr/bin/ruby', `ruby -e 'Thread.new { system("echo ran") }.join'`],
  c: [
    '/usr/bin/gcc',
    `printf '#include <stdio.h>\\nint main(void) { return puts("ran") < 0; }' > a.c && gcc -o a.out a.c && ./a.out`,
  ],
  go: [
    '/usr/local/go/bin/go',
    `printf 'package main\\nfunc main() { done := make(chan bool); go func() { println("ran"); done <- true }(); <-done }' > a.go && GOFLAGS=-p=1 GOCACHE=/tmp/cache HOME=/tmp /usr/local/go/bin/go run a.go 2>&1`,
  ],
  java: [
    '/usr/bin/java',
    `printf 'class A { public static void main(String[] a) throws Exception { Thread t = new Thread(() -> System.out.println("ran")); t.start(); t.join(); } }' > A.java && "$JAVA" -Xint A.java`,
  ],
};

let work: string;
let root: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  root = await makeTinyRoot(join(work, 'root'));
  for (const name of ['tmp', 'app']) await mkdir(join(work, name));
  for (const name of ['alternatives', 'java-17-openjdk']) await mkdir(join(root, 'etc', name));
  await writeFile(join(root, 'etc/ld.so.conf'), '');
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function run(script: string): Promise<string> {
  const output: Uint8Array[] = [];
  const exists = (path: string) => (existsSync(path) ? [{ from: path, to: path, writable: false }] : []);
  const java = await realpath('/usr/bin/java').catch(() => '');
  await bubblewrap({ env: { PATH: '/usr/bin' } }).run({
    root,
    mounts: [
      HOST_USR,
      { from: join(work, 'tmp'), to: '/tmp', writable: true },
      ...exists('/etc/alternatives'),
      ...exists('/etc/java-17-openjdk'),
    ],
    argv: ['/bin/bash', '-c', script],
    cwd: '/tmp',
    env: { PATH: '/usr/bin:/bin', JAVA: java },
    network: 'none',
    output: 'merged',
    onOutput: (chunk) => output.push(chunk),
  });
  return Buffer.concat(output).toString();
}

describe('the filter of system calls', () => {
  const here = Object.entries(PROGRAMS).filter(([, [needs]]) => existsSync(needs));

  it.each(here)('SBX-2 lets %s run, compile, and start threads and programs', async (_, [, script]) => {
    expect(await run(script)).toBe('ran\n');
  });

  it('SBX-2 was tried with Node and Python at least', () => {
    expect(here.map(([name]) => name)).toEqual(expect.arrayContaining(['node', 'python']));
  });
});

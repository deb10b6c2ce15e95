import { lstat, readdir, stat, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { autoDetect } from '../../../src/buildpack/auto-detect.js';
import { compile } from '../../../src/buildpack/compile.js';
import { detect, detectListed } from '../../../src/buildpack/detect.js';
import { writeEnvDir } from '../../../src/buildpack/env-dir.js';
import { readBuiltFile } from '../../../src/buildpack/read-file.js';
import { release } from '../../../src/buildpack/release.js';
import { report } from '../../../src/buildpack/report.js';
import { BUILD_DIR, hostPath, INSIDE } from '../../../src/buildpack/workspace.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { type BenchHall, failureOf, openHall } from './bench.js';

let hall: BenchHall;
beforeAll(async () => {
  hall = await openHall();
});
afterAll(async () => {
  await hall.close();
});

function entries(text: string): Map<string, string> {
  return new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
}

describe('makeWorkspace', () => {
  it('R12 R19 R20 R21 makes the directories that scripts expect, /app empty and ENV_DIR private', async () => {
    const { workspace } = await hall.bench();
    expect(await readdir(hostPath(workspace, INSIDE.app))).toEqual([]);
    for (const inside of [BUILD_DIR, INSIDE.cacheDir])
      expect((await stat(hostPath(workspace, inside))).isDirectory()).toBe(true);
    expect((await stat(hostPath(workspace, INSIDE.envDir))).mode & 0o7777).toBe(0o700);
    expect((await stat(hostPath(workspace, INSIDE.tmp))).mode & 0o7777).toBe(0o1777);
  });

  it('R22 has BUILD_DIR, CACHE_DIR and /tmp on one file system', async () => {
    const { workspace } = await hall.bench();
    const devices = await Promise.all(
      [INSIDE.tmp, BUILD_DIR, INSIDE.cacheDir].map((inside) => stat(hostPath(workspace, inside))),
    );
    expect(new Set(devices.map(({ dev }) => dev)).size).toBe(1);
  });
});

describe('detect', () => {
  it('R47 R53 gets BUILD_DIR alone, by an absolute path, in the buildpack directory', async () => {
    const { tools, place, output } = await hall.bench();
    const detection = await detect(await place('echo-args'), tools);
    const said = entries(output());
    expect(said.get('argc')).toBe('1');
    expect(said.get('arg')).toBe('/tmp/build_app');
    expect(said.get('zero')).toBe('/tmp/buildpacks/1/bin/detect');
    expect(said.get('cwd')).toBe('/tmp/buildpacks/1');
    expect(detection).toMatchObject({ applies: true, name: 'Echo args' });
  });

  it('R48 takes any exit but 0 for no', async () => {
    const { tools, place } = await hall.bench();
    expect(await detect(await place('detect-rc1'), tools)).toMatchObject({ applies: false, status: 1 });
    expect(await detect(await place('detect-rc2'), tools)).toMatchObject({
      applies: false,
      status: 2,
      reason: ['looked and left'],
    });
  });

  it('R48 reports a signal as a crash', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(detect(await place('detect-signal'), tools))).toEqual({
      code: 'DETECT_CRASHED',
      what: 'bin/detect of ./detect-signal crashed (killed by SIGKILL)',
      why: 'its last lines:\n  about to end badly',
      fix: "report it to the buildpack's author; bin/detect should end with exit 0 or 1",
    });
  });

  it('R49 shows the first line of several, trimmed, and the reference for none', async () => {
    const { tools, place } = await hall.bench();
    expect((await detect(await place('detect-multiline'), tools)).name).toBe('First line');
    expect(await detect(await place('detect-noname'), tools)).toMatchObject({ applies: true, name: './detect-noname' });
  });

  it('R50 shows stderr', async () => {
    const { tools, place, events } = await hall.bench();
    await detect(await place('detect-rc1'), tools);
    expect(events).toEqual([
      {
        type: 'output',
        step: 'detect',
        subject: './detect-rc1',
        stream: 'stderr',
        bytes: Buffer.from('no package.json\n'),
      },
    ]);
  });

  it('R51 refuses the build when a listed buildpack does not apply', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(detectListed(await place('detect-rc1'), tools))).toEqual({
      code: 'DETECT_REFUSED',
      what: 'the app is not compatible with buildpack ./detect-rc1',
      why: 'its bin/detect ended with exit 1:\n  no package.json',
      fix: 'add what the buildpack looks for, or take the buildpack out of the list',
    });
  });

  it('R52 uses the first candidate that applies and keeps the others silent', async () => {
    const { tools, place, output } = await hall.bench();
    const candidates = [await place('detect-rc1'), await place('detects-always'), await place('detect-noname')];
    const chosen = await autoDetect(candidates, tools, { source: './shop' });
    expect(chosen.buildpack.id).toBe('./detects-always');
    expect(output()).toBe('');
  });

  it('R52 lists what each candidate said when none applies', async () => {
    const { tools, place } = await hall.bench();
    const candidates = [await place('detect-rc1'), await place('detects-never'), await place('detect-rc2')];
    expect(await failureOf(autoDetect(candidates, tools, { source: './shop' }))).toEqual({
      code: 'DETECT_NONE_MATCHED',
      what: 'none of 3 buildpacks recognised the app in ./shop',
      why: [
        './detect-rc1      exit 1   "no package.json"',
        './detects-never   exit 1',
        './detect-rc2      exit 2   "looked and left"',
      ].join('\n'),
      fix: 'add the file one of them looks for, or choose: --buildpack ./detect-rc1',
    });
  });

  it('cannot write to BUILD_DIR', async () => {
    const { workspace, tools, place } = await hall.bench();
    expect((await detect(await place('detect-writer'), tools)).applies).toBe(false);
    expect(await readdir(hostPath(workspace, BUILD_DIR))).toEqual([]);
  });

  it('BP-7 is stopped when it takes too long', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(detect(await place('detect-hangs'), tools, { timeoutMs: 500 }))).toMatchObject({
      code: 'DETECT_TIMEOUT',
      what: 'bin/detect of ./detect-hangs did not end within 0.5 s',
      why: 'it printed nothing',
    });
  });
});

describe('compile', () => {
  it('R7 R21 R25 R34 R42 R53 runs with three directories, the platform environment, no input and umask 022', async () => {
    const { tools, place, read } = await hall.bench();
    await compile(await place('echo-args'), tools);
    const text = await read('/tmp/build_app/echo-args.txt');
    expect(text.split('\n').slice(0, 8)).toEqual([
      'argc=3',
      'arg=/tmp/build_app',
      'arg=/tmp/cache_app',
      'arg=/tmp/env_app',
      'zero=/tmp/buildpacks/1/bin/compile',
      'cwd=/tmp/buildpacks/1',
      'umask=0022',
      'id=1000:1000',
    ]);
    const said = entries(text);
    expect(said.get('stdin')).toBe('/dev/null');
    expect(said.get('env HOME')).toBe('/app');
    expect(said.get('env SOURCE_VERSION')).toBe('');
    for (const absent of ['env DYNO', 'env CI', 'env DEBIAN_FRONTEND']) expect(said.has(absent)).toBe(false);
  });

  it("R33 leaks nothing of the caller's environment", async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'canary';
    const { tools, place, read } = await hall.bench();
    await compile(await place('echo-args'), tools);
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    expect(await read('/tmp/build_app/echo-args.txt')).not.toContain('canary');
  });

  it('R53 finds its files from its working directory and from its own path', async () => {
    const { tools, place, read } = await hall.bench();
    await compile(await place('cwd-relative'), tools);
    expect(await read('/tmp/build_app/from-cwd')).toBe('data\n');
    expect(await read('/tmp/build_app/from-zero')).toBe('data\n');
  });

  it('R54 keeps both outputs in their order and unmodified', async () => {
    const { tools, place, output } = await hall.bench();
    await compile(await place('compile-interleaves'), tools);
    expect(output()).toBe('one\ntwo\nthree\n   four, unfinished');
  });

  it("R55 R120 stops the build with the buildpack's last lines", async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(compile(await place('compile-fails-loudly'), tools))).toEqual({
      code: 'COMPILE_FAILED',
      what: './compile-fails-loudly stopped the build in bin/compile (exit 3)',
      why: [
        "this is the buildpack's verdict on the app; its last lines:",
        '  -----> Installing',
        '   !     Two different lockfiles found: package-lock.json and yarn.lock',
      ].join('\n'),
      fix: "follow the buildpack's message above; it ran without a network (--network egress gives it one)",
    });
  });

  it('R120 keeps only the last lines of a long output, without colours and overwritten progress', async () => {
    const { tools, place } = await hall.bench();
    const { why } = await failureOf(compile(await place('compile-chatty'), tools));
    const lines = why?.split('\n') ?? [];
    expect(lines).toHaveLength(21);
    expect(lines.slice(-3)).toEqual(['  4999', '  5000', '  red no newline']);
  });

  it('tells a crash from a verdict', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(compile(await place('compile-crashes'), tools))).toEqual({
      code: 'COMPILE_CRASHED',
      what: 'bin/compile of ./compile-crashes or a program it ran was killed (killed by SIGKILL)',
      why: 'a program is often killed so when memory runs out\nits last lines:\n  about to end badly',
      fix: 'build with more memory',
    });
  });

  it('R32 R45 is stopped when it takes too long, also when it ignores SIGTERM', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(compile(await place('compile-ignores-sigterm'), tools, { timeoutMs: 500 }))).toEqual({
      code: 'COMPILE_TIMEOUT',
      what: 'bin/compile of ./compile-ignores-sigterm did not end within 0.5 s and was stopped',
      why: 'its last lines:\n  still here',
      fix: 'find what it waits for, or give it more time with --compile-timeout, in seconds',
    });
  });

  it('R45 is stopped when the caller aborts', async () => {
    const { tools, place } = await hall.bench();
    const abort = new AbortController();
    const on = () => abort.abort();
    const work = compile(await place('compile-hangs'), { ...tools, on, signal: abort.signal });
    expect(await failureOf(work)).toMatchObject({ code: 'INTERRUPTED' });
  });

  it('R46 ends with its own process and not with a daemon that holds its output', async () => {
    const { workspace, tools, place } = await hall.bench();
    await compile(await place('daemonizer'), tools, { timeoutMs: 15_000 });
    expect(await readdir(hostPath(workspace, BUILD_DIR))).toEqual([]);
  });

  it('R46 is heard to the end, also what a filter of its output still holds', async () => {
    const { tools, place, output } = await hall.bench();
    await compile(await place('compile-filters-output'), tools);
    expect(output().trim().split('\n')).toHaveLength(500);
  });

  it('R14 may remove BUILD_DIR and make it again', async () => {
    const { tools, place, write, read } = await hall.bench();
    await write('/tmp/build_app/before', '');
    await compile(await place('self-destruct'), tools);
    expect(await read('/tmp/build_app/again')).toBe('again\n');
  });

  it('R14 must leave a directory, and not a link, at BUILD_DIR', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(compile(await place('build-dir-loser'), tools))).toMatchObject({
      code: 'BUILD_DIR_LOST',
      what: './build-dir-loser left no build directory behind',
      why: 'bin/compile succeeded, and then there was nothing at /tmp/build_app',
    });
    const other = await hall.bench();
    expect(await failureOf(compile(await other.place('build-dir-linker'), other.tools))).toMatchObject({
      code: 'BUILD_DIR_LOST',
      why: 'bin/compile succeeded, and then there was a symbolic link at /tmp/build_app',
    });
  });

  it('R16 sees links in /app that an earlier buildpack made', async () => {
    const { tools, place, read } = await hall.bench();
    await compile(await place('app-symlink'), tools);
    const user = await place('app-symlink-user');
    expect((await detect(user, tools)).applies).toBe(true);
    await compile(user, tools);
    expect(await read('/tmp/build_app/seen')).toBe('3\n');
  });

  it('R17 keeps what goes to HOME out of BUILD_DIR', async () => {
    const { workspace, tools, place, read } = await hall.bench();
    await compile(await place('home-secret'), tools);
    expect(await read('/app/.ssh/custom_key')).toBe('secret\n');
    expect(await readdir(hostPath(workspace, BUILD_DIR))).toEqual([]);
  });

  it('R23 may link a file of the cache into BUILD_DIR', async () => {
    const { workspace, tools, place } = await hall.bench();
    await compile(await place('hardlinker'), tools);
    expect((await lstat(hostPath(workspace, '/tmp/build_app/linked'))).nlink).toBe(3);
  });

  it('R38 R39 finds config vars in ENV_DIR, exactly, and not in its environment', async () => {
    const { workspace, tools, place, read } = await hall.bench();
    await writeEnvDir(workspace, { PATH: '/nowhere', MULTI: 'one\nzwei ü\n', EMPTY: '' });
    await compile(await place('env-dir-reader'), tools);
    expect(await read('/tmp/build_app/vars')).toBe('EMPTY=<x>\nMULTI=<one\nzwei ü\nx>\nPATH=</nowherex>\n');
    expect(await read('/tmp/build_app/env-dir-mode')).toBe('700\n');
  });

  it('R8 runs a script without a first line by the shell', async () => {
    const { tools, place, read, output } = await hall.bench();
    await compile(await place('no-shebang'), tools);
    expect(await read('/tmp/build_app/ran')).toBe('ran without a first line\n');
    expect(output()).toBe('arg=/tmp/cache_app\n');
  });

  it.each(['crlf', 'crlf-env'])('R8 names Windows line endings (%s)', async (fixture) => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(compile(await place(fixture), tools))).toMatchObject({
      code: 'BUILDPACK_INVALID',
      what: `./${fixture} has Windows line endings in bin/compile`,
      fix: "sed -i 's/\\r$//' bin/compile, and put `* text eol=lf` into the buildpack's .gitattributes",
    });
  });

  it('R8 names an interpreter that the base lacks', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(compile(await place('ruby-script'), tools))).toEqual({
      code: 'BUILDPACK_INVALID',
      what: './ruby-script needs ruby to run bin/compile, and the build base has none',
      why: 'its first line is `#!/usr/bin/env ruby`',
      fix: 'use a build base that has ruby (--build-base), or a buildpack before this one that brings it',
    });
    expect(await failureOf(compile(await place('no-such-interpreter'), tools))).toMatchObject({
      what: './no-such-interpreter needs /opt/none/bin/python to run bin/compile, and the build base has none',
    });
  });

  it('R6 runs scripts that had no executable bit', async () => {
    const { tools, place } = await hall.bench();
    const buildpack = await place('not-executable');
    expect((await detect(buildpack, tools)).applies).toBe(true);
    await compile(buildpack, tools);
  });

  it('R119 runs compile of a buildpack that also has scripts of another dialect', async () => {
    const { tools, place, output } = await hall.bench();
    await compile(await place('cloud-foundry'), tools);
    expect(output()).toBe('-----> nothing to do\n');
  });

  it('runs without isolation under the names of the host', async () => {
    const { workspace, tools, place, read } = await hall.bench({ sandbox: hostSandbox() });
    await compile(await place('echo-args'), tools);
    const said = entries(await read('/tmp/build_app/echo-args.txt'));
    expect(said.get('zero')).toBe(hostPath(workspace, '/tmp/buildpacks/1/bin/compile'));
    expect(said.get('env HOME')).toBe(hostPath(workspace, '/app'));
    expect(said.get('umask')).toBe('0022');
  });
});

describe('release', () => {
  it('R1 R80 is undefined when the buildpack has none', async () => {
    const { tools, place } = await hall.bench();
    expect(await release(await place('release-none'), tools)).toBeUndefined();
  });

  it.each(['release-empty', 'release-dashes', 'release-obj', 'release-null'])(
    'R77 takes %s for no defaults',
    async (fixture) => {
      const { tools, place } = await hall.bench();
      expect(await release(await place(fixture), tools)).toEqual({
        processes: new Map(),
        addons: [],
        configVars: new Map(),
      });
    },
  );

  it('R77 R79 reads JSON, addons and config vars', async () => {
    const { tools, place } = await hall.bench();
    expect((await release(await place('release-json'), tools))?.processes).toEqual(new Map([['web', 'bin/json']]));
    expect((await release(await place('release-addons'), tools))?.addons).toEqual([
      'heroku-postgresql',
      'heroku-redis:mini',
    ]);
    const vars = (await release(await place('release-config-vars'), tools))?.configVars;
    expect(vars).toEqual(
      new Map([
        ['RACK_ENV', 'production'],
        ['DEBUG', 'no'],
      ]),
    );
  });

  it('R76 gets BUILD_DIR alone and sees what compile left in tmp', async () => {
    const { tools, place, output } = await hall.bench();
    await release(await place('echo-args'), tools);
    expect(entries(output()).get('argc')).toBe('1');
    const reader = await place('release-reader');
    await compile(reader, tools);
    expect((await release(reader, tools))?.processes).toEqual(new Map([['web', 'from-tmp']]));
  });

  it('R77 names the buildpack, the line and what stands there', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(release(await place('release-malformed'), tools))).toEqual({
      code: 'RELEASE_MALFORMED',
      what: './release-malformed printed a bin/release document pack-build cannot read',
      why: 'line 3: `web: [npm, start]` - a process command must be a string',
      fix: "report it to the buildpack's author; bin/release must print a YAML mapping such as `default_process_types: {web: npm start}`",
    });
    expect(await failureOf(release(await place('release-bad'), tools))).toMatchObject({ code: 'RELEASE_MALFORMED' });
  });

  it('R78 fails the build when it fails', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(release(await place('release-exit1'), tools))).toEqual({
      code: 'RELEASE_FAILED',
      what: 'bin/release of ./release-exit1 failed (exit 1)',
      why: 'its last lines:\n  no release today',
      fix: "report it to the buildpack's author",
    });
  });

  it('cannot write to BUILD_DIR', async () => {
    const { tools, place } = await hall.bench();
    expect(await failureOf(release(await place('release-writer'), tools))).toMatchObject({ code: 'RELEASE_FAILED' });
  });
});

describe('report', () => {
  it('R90 reads flat YAML and JSON', async () => {
    const { tools, place } = await hall.bench();
    expect(await report(await place('report-yaml'), tools)).toEqual({ node_version: '20.1.0', cached: true });
    expect(await report(await place('report-json'), tools)).toEqual({ node_version: '20.1.0', installs: 2 });
  });

  it('R90 gets the three directories and sees the cache of a failed build', async () => {
    const { tools, place, read } = await hall.bench();
    const buildpack = await place('report-reads-cache');
    await compile(buildpack, tools).catch(() => undefined);
    expect(await report(buildpack, tools)).toEqual({ failure_reason: 'wanted' });
    await report(await place('echo-args'), tools);
    expect(entries(await read('/tmp/cache_app/report-args.txt')).get('argc')).toBe('3');
  });

  it.each(['report-fail', 'report-nested', 'detects-always'])('R90 lets nothing of %s show', async (fixture) => {
    const { tools, place, output } = await hall.bench();
    expect(await report(await place(fixture), tools)).toBeUndefined();
    expect(output()).toBe('');
  });
});

describe('readBuiltFile', () => {
  it('R82 reads a Procfile that compile wrote', async () => {
    const { workspace, tools, place } = await hall.bench();
    expect(await readBuiltFile(workspace, 'Procfile')).toBeUndefined();
    await compile(await place('procfile-writer'), tools);
    expect(Buffer.from((await readBuiltFile(workspace, 'Procfile')) ?? []).toString()).toBe(
      'web: bin/web --port $PORT\nworker: bin/worker\n',
    );
  });

  it('BP-10 follows links as a process inside would, and never to the host', async () => {
    const { workspace, write } = await hall.bench();
    const link = hostPath(workspace, '/tmp/build_app/Procfile');
    await symlink('/etc/hostname', link);
    expect(await readBuiltFile(workspace, 'Procfile')).toBeUndefined();
    await write('/app/Procfile', 'web: x\n');
    await symlink('/app/../app/Procfile', hostPath(workspace, '/tmp/build_app/other'));
    expect(Buffer.from((await readBuiltFile(workspace, 'other')) ?? []).toString()).toBe('web: x\n');
  });

  it('takes a fifo and a directory for nothing', async () => {
    const { workspace, tools, place } = await hall.bench();
    await compile(await place('writes-socket'), tools);
    expect(await readBuiltFile(workspace, 'pipe')).toBeUndefined();
    expect(await readBuiltFile(workspace, '.')).toBeUndefined();
  });
});

describe('resolution of scripts', () => {
  it('follows a link of bin/ as a process inside would', async () => {
    const { workspace, tools, place, write } = await hall.bench();
    const buildpack = await place('release-none');
    await write('/tmp/crlf.sh', '#!/bin/sh\r\n');
    await symlink('/tmp/crlf.sh', hostPath(workspace, `${buildpack.dir}/bin/release`));
    expect(await failureOf(release(buildpack, tools))).toMatchObject({ code: 'BUILDPACK_INVALID' });
  });
});

import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fetchBuildpack } from '../../../src/buildpack/fetch.js';
import { type BenchHall, FIXTURES, failureOf, fetchOptions, HOST_ENV, openHall, reference } from './bench.js';

let hall: BenchHall;
beforeAll(async () => {
  hall = await openHall();
});
afterAll(async () => {
  await hall.close();
});

const run = promisify(execFile);

async function fetchTo(text: string, more: Parameters<typeof fetchOptions>[1] = {}) {
  const dir = join(await hall.temp('fetched'), 'buildpack');
  const fetched = await fetchBuildpack(await reference(text), fetchOptions(dir, more));
  return { ...fetched, dir };
}

async function git(dir: string, ...args: readonly string[]): Promise<string> {
  const env = { ...HOST_ENV, HOME: dir, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  const names = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
  return (await run('git', [...names, '-C', dir, ...args], { env })).stdout.trim();
}

/** A repository with two commits, the first tagged v1, the second on main. */
async function repository() {
  const dir = join(await hall.temp('repo'), 'bp.git');
  await cp(join(FIXTURES, 'detects-always'), dir, { recursive: true });
  await git(dir, 'init', '-q', '-b', 'main');
  await git(dir, 'add', '.');
  await git(dir, 'commit', '-qm', 'one');
  await git(dir, 'tag', '-am', 'v1', 'v1');
  const first = await git(dir, 'rev-parse', 'HEAD');
  await writeFile(join(dir, 'second'), 'second');
  await git(dir, 'add', '.');
  await git(dir, 'commit', '-qm', 'two');
  return { dir, first, second: await git(dir, 'rev-parse', 'HEAD') };
}

describe('fetchBuildpack of a directory', () => {
  it('R4 makes a private writable copy', async () => {
    const original = join(await hall.temp('bp'), 'bp');
    await cp(join(FIXTURES, 'detects-always'), original, { recursive: true });
    await chmod(join(original, 'bin'), 0o555);
    const { dir } = await fetchTo(original);
    await writeFile(join(dir, 'bin/new'), '');
    expect(await readdir(join(original, 'bin'))).toEqual(['compile', 'detect']);
  });

  it('R5 leaves out an export file of an earlier run, and says so', async () => {
    const { dir, notices } = await fetchTo('./stale-export');
    expect(await readdir(dir)).toEqual(['bin']);
    expect(notices).toEqual([
      {
        code: 'BUILDPACK_STALE_EXPORT',
        message: 'buildpack ./stale-export has a file named export, left by an earlier run; this build does not use it',
      },
    ]);
  });

  it('R6 makes bin/* executable and keeps other modes and links', async () => {
    const original = join(await hall.temp('bp'), 'bp');
    await cp(join(FIXTURES, 'not-executable'), original, { recursive: true });
    await mkdir(join(original, 'lib'));
    await writeFile(join(original, 'lib/tool'), '');
    await chmod(join(original, 'lib/tool'), 0o751);
    await symlink('/etc/passwd', join(original, 'link'));
    await mkdir(join(original, '.git'));
    const { dir } = await fetchTo(original);
    expect((await stat(join(dir, 'bin/compile'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(dir, 'lib/tool'))).mode & 0o777).toBe(0o751);
    expect(await readlink(join(dir, 'link'))).toBe('/etc/passwd');
    expect(await readdir(dir)).toEqual(['bin', 'lib', 'link']);
  });

  it('R9 pins it by the digest of its tree, whatever its times', async () => {
    const one = await fetchTo('./detects-always');
    const other = join(await hall.temp('bp'), 'bp');
    await cp(join(FIXTURES, 'detects-always'), other, { recursive: true });
    expect((await fetchTo(other)).version).toBe(one.version);
    await writeFile(join(other, 'bin/detect'), '#!/bin/sh\nexit 0\n');
    expect((await fetchTo(other)).version).not.toBe(one.version);
    expect(one.version).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('refuses one that is not what the lock names, and leaves nothing', async () => {
    const into = join(await hall.temp('fetched'), 'buildpack');
    const expected = `sha256:${'0'.repeat(64)}`;
    const work = fetchBuildpack(await reference('./detects-always'), fetchOptions(into, { expected }));
    expect(await failureOf(work)).toMatchObject({
      code: 'BUILDPACK_INTEGRITY',
      what: 'buildpack ./detects-always is not the one that pack-build.lock names',
    });
    expect(await lstat(into).catch(() => 'gone')).toBe('gone');
  });

  it('R1 tells what is there when the scripts are not', async () => {
    expect(await failureOf(fetchTo('./no-compile'))).toEqual({
      code: 'BUILDPACK_INVALID',
      what: './no-compile has no bin/compile',
      why: 'bin/ holds detect',
      fix: 'name the directory that has bin/detect and bin/compile',
    });
    expect(await failureOf(fetchTo(join(FIXTURES, 'detects-always/bin')))).toMatchObject({
      why: 'it has no bin/; it holds compile, detect',
    });
    expect(await failureOf(fetchTo('./nothing-here'))).toMatchObject({ code: 'BUILDPACK_NOT_FOUND' });
  });

  it('takes a bundled one by its name', async () => {
    expect(await fetchTo('procfile')).toMatchObject({ id: 'procfile', kind: 'bundled' });
  });

  it('takes what looks like a name in a registry for a directory when there is one', async () => {
    const from = await hall.temp('bp');
    await cp(join(FIXTURES, 'detects-always'), join(from, 'packs/one'), { recursive: true });
    const into = join(await hall.temp('fetched'), 'buildpack');
    await fetchBuildpack(await reference('packs/one', from), fetchOptions(into));
    expect(await readdir(into)).toEqual(['bin']);
  });
});

describe('fetchBuildpack of a tarball', () => {
  it.each([
    ['.tgz', 'z'],
    ['.tar.gz', 'z'],
    ['.tar', ''],
    ['.tbz', 'j'],
    ['.tar.bz2', 'j'],
    ['.tar.xz', 'J'],
  ])('R2 unpacks %s', async (extension, flag) => {
    const file = join(await hall.temp('tar'), `bp${extension}`);
    await run('tar', [`-c${flag}f`, file, '-C', join(FIXTURES, 'detects-always'), 'bin']);
    const { dir, version } = await fetchTo(file);
    expect(await readdir(join(dir, 'bin'))).toEqual(['compile', 'detect']);
    expect(version).toMatch(/^sha512-/);
  });

  it('R2 takes away the one top directory, and finds the file by a URL with a query', async () => {
    const file = join(await hall.temp('tar'), 'bp.tgz');
    await run('tar', ['-czf', file, '-C', FIXTURES, 'detects-always']);
    const { dir } = await fetchTo(`file://${file}?raw=true`);
    expect(await readdir(dir)).toEqual(['bin']);
    expect(await readdir(join(dir, '..'))).toEqual(['buildpack']);
  });

  it('refuses one that is not what the lock names', async () => {
    const file = join(await hall.temp('tar'), 'bp.tgz');
    await run('tar', ['-czf', file, '-C', FIXTURES, 'detects-always']);
    const { version } = await fetchTo(file);
    expect((await fetchTo(file, { expected: version })).version).toBe(version);
    await run('tar', ['-czf', file, '-C', FIXTURES, 'detects-never']);
    expect(await failureOf(fetchTo(file, { expected: version }))).toMatchObject({ code: 'BUILDPACK_INTEGRITY' });
  });

  it('names a file that is damaged or missing', async () => {
    const file = join(await hall.temp('tar'), 'bp.tgz');
    await writeFile(file, 'not a tarball at all');
    expect(await failureOf(fetchTo(file))).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      what: `buildpack ${file} cannot be unpacked`,
      fix: `check that this works: tar -tf ${file}`,
    });
    await writeFile(file.replace('.tgz', '.tbz'), 'not a tarball at all');
    expect(await failureOf(fetchTo(file.replace('.tgz', '.tbz')))).toMatchObject({ code: 'BUILDPACK_FETCH_FAILED' });
    expect(await failureOf(fetchTo('./nothing.tgz'))).toMatchObject({ code: 'BUILDPACK_NOT_FOUND' });
  });
});

describe('fetchBuildpack of a git repository', () => {
  it('R2 R9 takes the newest commit, and no .git with it', async () => {
    const { dir: repo, second } = await repository();
    const { dir, version } = await fetchTo(repo);
    expect(version).toBe(second);
    expect(await readdir(dir)).toEqual(['bin', 'second']);
  });

  it('R2 R3 takes a branch, a tag, a commit and the beginning of one', async () => {
    const { dir: repo, first, second } = await repository();
    expect((await fetchTo(`${repo}#main`)).version).toBe(second);
    expect((await fetchTo(`${repo}#v1`)).version).toBe(first);
    expect((await fetchTo(`file://${repo}#${first}`)).version).toBe(first);
    expect((await fetchTo(`${repo}#${first.slice(0, 10)}`)).version).toBe(first);
  });

  it('takes the commit of the lock although the branch has moved', async () => {
    const { dir: repo, first } = await repository();
    expect((await fetchTo(`${repo}#main`, { expected: first })).version).toBe(first);
  });

  it('says what git said, and what to try', async () => {
    const { dir: repo } = await repository();
    expect(await failureOf(fetchTo(`${repo}#no-such-branch`))).toEqual({
      code: 'BUILDPACK_FETCH_FAILED',
      what: `git could not fetch buildpack ${repo}#no-such-branch`,
      why: "git says:\n  fatal: couldn't find remote ref no-such-branch",
      fix: `name a branch, a tag or a commit that exists: git ls-remote ${repo}`,
    });
    expect(await failureOf(fetchTo(`${repo}#${'0'.repeat(39)}1`))).toMatchObject({ code: 'BUILDPACK_FETCH_FAILED' });
    expect(await failureOf(fetchTo('./nothing.git'))).toMatchObject({ code: 'BUILDPACK_FETCH_FAILED' });
  });

  it('is interrupted and leaves nothing', async () => {
    const { dir: repo } = await repository();
    const into = join(await hall.temp('fetched'), 'buildpack');
    const work = fetchBuildpack(await reference(repo), fetchOptions(into, { signal: AbortSignal.abort() }));
    expect(await failureOf(work)).toMatchObject({ code: 'INTERRUPTED' });
    expect(await lstat(into).catch(() => 'gone')).toBe('gone');
  });

  it('BP-9 runs no hook, filter or helper of the repository', async () => {
    const { dir: repo } = await repository();
    const canary = join(await hall.temp('canary'), 'ran');
    await writeFile(join(repo, '.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    await writeFile(join(repo, '.gitattributes'), '* filter=evil\n');
    await git(repo, 'add', '.gitattributes');
    await git(repo, 'commit', '-qm', 'filter');
    await git(repo, 'config', 'filter.evil.smudge', `touch ${canary}`);
    await fetchTo(repo);
    expect(await readFile(canary).catch(() => 'did not run')).toBe('did not run');
  });
});

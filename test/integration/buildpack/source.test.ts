import { execFile } from 'node:child_process';
import { chmod, link, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../../../src/buildpack/compile.js';
import { copySource } from '../../../src/buildpack/source.js';
import { sourceVersion } from '../../../src/buildpack/source-version.js';
import { BUILD_DIR, hostPath } from '../../../src/buildpack/workspace.js';
import { type BenchHall, failureOf, HOST_ENV, openHall } from './bench.js';

let hall: BenchHall;
beforeAll(async () => {
  hall = await openHall();
});
afterAll(async () => {
  await hall.close();
});

const run = promisify(execFile);

async function sourceOf(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await hall.temp('source');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(dir, path, '..'), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}

async function copied(source: string, options: Parameters<typeof copySource>[2] = {}) {
  const { workspace, tools, place } = await hall.bench();
  const notices = await copySource(source, workspace, options);
  const dir = hostPath(workspace, BUILD_DIR);
  return { dir, notices, tools, place, names: (await readdir(dir)).sort() };
}

describe('copySource', () => {
  it('R26 leaves out .git at any depth', async () => {
    const source = await sourceOf({
      '.git/HEAD': 'x',
      'sub/.git': 'gitdir: elsewhere',
      'sub/file': '',
      '.gitignore': '',
    });
    const { dir, names, tools, place } = await copied(source);
    expect(names).toEqual(['.gitignore', 'sub']);
    await compile(await place('git-looker'), tools);
    expect(await readFile(join(dir, 'looked'), 'utf8')).toBe('no repository\n');
  });

  it('R27 R28 R29 leaves out what .slugignore names, and keeps .slugignore', async () => {
    const ignore = '# designs\n*.psd\r\n/test\n\ndocs/\nmy file\n';
    const source = await sourceOf({
      '.slugignore': ignore,
      'a.psd': '',
      'deep/b.psd': '',
      'deep/.hidden/c.psd': '',
      'test/one': '',
      'deep/test/kept': '',
      'docs/x': '',
      'deep/docs': 'a file',
      'my file': '',
      'sub/.slugignore': 'kept\n',
      'sub/kept': '',
    });
    const { dir, names } = await copied(source);
    expect(names).toEqual(['.slugignore', 'deep', 'sub']);
    expect((await readdir(join(dir, 'deep'))).sort()).toEqual(['.hidden', 'docs', 'test']);
    expect(await readdir(join(dir, 'deep/.hidden'))).toEqual(['c.psd']);
    expect((await readdir(join(dir, 'sub'))).sort()).toEqual(['.slugignore', 'kept']);
  });

  it('R31 makes modes 0644 and 0755, and keeps links and empty directories', async () => {
    const source = await sourceOf({ plain: '', script: '', 'dir/x': '' });
    await chmod(join(source, 'plain'), 0o600);
    await chmod(join(source, 'script'), 0o700);
    await chmod(join(source, 'dir'), 0o700);
    await mkdir(join(source, 'empty'));
    await symlink('/etc/shadow', join(source, 'out'));
    await symlink('nowhere', join(source, 'dangling'));
    await link(join(source, 'plain'), join(source, 'plain-too'));
    const { dir, names } = await copied(source);
    const modeOf = async (name: string) => (await stat(join(dir, name))).mode & 0o7777;
    expect([await modeOf('plain'), await modeOf('script'), await modeOf('dir')]).toEqual([0o644, 0o755, 0o755]);
    expect([await readlink(join(dir, 'out')), await readlink(join(dir, 'dangling'))]).toEqual([
      '/etc/shadow',
      'nowhere',
    ]);
    expect((await stat(join(dir, 'plain-too'))).nlink).toBe(1);
    expect(names).toContain('empty');
  });

  it('leaves out the lock file at the top, fifos and what the caller names', async () => {
    const source = await sourceOf({
      'pack-build.lock': '',
      'sub/pack-build.lock': '',
      'out/blobs': '',
      'pack-build.toml': '',
    });
    await run('mkfifo', [join(source, 'pipe')]);
    const { names, notices } = await copied(source, { exclude: [join(source, 'out')] });
    expect(names).toEqual(['pack-build.toml', 'sub']);
    expect(notices).toEqual([
      {
        code: 'SOURCE_SPECIAL_FILE',
        message: '`pipe` is a socket, a fifo or a device and is left out',
      },
    ]);
  });

  it('BP-11 copies odd names byte for byte', async () => {
    const names = ['-rf', 'line\nbreak', 'ü'.repeat(100), 'quote\'"', ' space '].sort();
    const source = await sourceOf(Object.fromEntries(names.map((name) => [name, name])));
    const { dir, names: found } = await copied(source);
    expect(found).toEqual(names);
    expect(await readFile(join(dir, 'line\nbreak'), 'utf8')).toBe('line\nbreak');
  });

  it('names a file whose name is not text', async () => {
    const source = await sourceOf({ 'sub/plain': '' });
    await writeFile(Buffer.concat([Buffer.from(`${source}/sub/bad-`), Buffer.from([0xff])]), '');
    expect(await failureOf(copied(source))).toMatchObject({
      code: 'SOURCE_INVALID',
      what: '`sub/bad-\ufffd` in the app cannot be copied',
      why: 'its name is not UTF-8',
      fix: 'rename it, or name it in .slugignore with `*` in place of what is odd',
    });
  });

  it('names a source that is not there or not a directory', async () => {
    const source = await sourceOf({ plain: '' });
    expect(await failureOf(copied(join(source, 'none')))).toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      why: 'it does not exist',
    });
    expect(await failureOf(copied(join(source, 'plain')))).toMatchObject({ why: 'it is not a directory' });
  });

  it('is fast for many files', async () => {
    const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`d${index % 50}/f${index}`, 'x']));
    const source = await sourceOf({ ...files, '.slugignore': '*.psd\n/test\ndocs/**/*.md\n' });
    const begun = performance.now();
    const { names } = await copied(source);
    expect(names).toHaveLength(51);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});

describe('sourceVersion', () => {
  const git = (dir: string, ...args: readonly string[]) =>
    run('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-C', dir, ...args], {
      env: { ...HOST_ENV, GIT_COMMITTER_DATE: '1700000000 +0100', GIT_CONFIG_GLOBAL: '/dev/null', HOME: dir },
    });

  it('R26 tells the commit of a work tree and when it was made', async () => {
    const source = await sourceOf({ 'sub/file': '' });
    await git(source, 'init', '-q');
    expect(await sourceVersion(source, { env: HOST_ENV })).toBeUndefined();
    await git(source, 'add', '.');
    await git(source, 'commit', '-qm', 'committer A <a> 1 +0000');
    const { stdout } = await git(source, 'rev-parse', 'HEAD');
    const expected = { commit: stdout.trim(), time: 1700000000 };
    expect(await sourceVersion(source, { env: HOST_ENV })).toEqual(expected);
    expect(await sourceVersion(join(source, 'sub'), { env: HOST_ENV })).toEqual(expected);
  });

  it('is undefined without a repository and without git', async () => {
    const source = await sourceOf({ file: '' });
    expect(await sourceVersion(source, { env: HOST_ENV })).toBeUndefined();
    expect(await sourceVersion(source, { env: { PATH: '/nowhere' } })).toBeUndefined();
  });
});

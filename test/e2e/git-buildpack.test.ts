import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { commitAll, git } from '../support/git.js';
import { type GitServer, serveGit } from '../support/git-server.js';
import { buildpack, writeFiles } from '../support/product.js';

const cli = useCli();
let server: GitServer;
let repository = '';
let url = '';
let first = '';

const compile = (text: string) => buildpack({ compile: `echo "this is ${text}"` });

/** Two commits: the first on the branch `main` and tagged `v1`, the second on `next` alone. */
beforeAll(async () => {
  const top = await cli.directory();
  repository = join(top, 'bp.git');
  await writeFiles(repository, compile('one'));
  first = await commitAll(repository);
  await git(repository, 'tag', 'v1');
  await git(repository, 'checkout', '-q', '-b', 'next');
  await commit('two');
  await git(repository, 'checkout', '-q', 'main');
  server = await serveGit(top);
  url = `${server.url}/bp.git`;
});
afterAll(async () => server.close());

async function commit(text: string): Promise<string> {
  await writeFiles(repository, compile(text));
  await git(repository, 'add', '-A');
  await git(repository, 'commit', '-qm', text);
  return git(repository, 'rev-parse', 'HEAD');
}

const build = (app: string, reference: string, ...flags: readonly string[]) =>
  cli.run(['build', app, '--base', cli.base(), '--buildpack', reference, ...flags]);

const newApp = () => cli.directory({ 'index.txt': 'hello\n' });

async function locked(app: string): Promise<Readonly<Record<string, string>>> {
  return JSON.parse(await readFile(join(app, 'pack-build.lock'), 'utf8')).buildpacks;
}

describe('a buildpack by the URL of a git repository', () => {
  it('is the head of the repository; the lock names its commit', async () => {
    const app = await newApp();
    const built = await build(app, url);
    expect(built.stderr).toContain('\nthis is one\n');
    expect(built.status).toBe(0);
    expect(await locked(app)).toEqual({ [url]: first });
  });

  it.each([
    ['a branch', 'next', 'two'],
    ['a tag', 'v1', 'one'],
  ])('is what %s names', async (_what, ref, text) => {
    const app = await newApp();
    const built = await build(app, `${url}#${ref}`);
    expect(built.stderr).toContain(`\nthis is ${text}\n`);
    expect(await locked(app)).toEqual({ [`${url}#${ref}`]: await git(repository, 'rev-parse', ref) });
  });

  it('is what a commit names, also an abbreviated one', async () => {
    for (const ref of [first, first.slice(0, 10)]) {
      const app = await newApp();
      expect((await build(app, `${url}#${ref}`)).stderr).toContain('\nthis is one\n');
      expect(await locked(app)).toEqual({ [`${url}#${ref}`]: first });
    }
  });

  it('stays at the locked commit when the branch moves on, and with --frozen', async () => {
    const app = await newApp();
    await git(repository, 'checkout', '-q', '-b', 'moving', 'v1');
    const reference = `${url}#moving`;
    await build(app, reference);
    await commit('three');
    for (const flags of [[], ['--frozen']]) {
      const built = await build(app, reference, ...flags);
      expect(built.stderr).toContain('\nthis is one\n');
      expect(built.status).toBe(0);
    }
    expect(await locked(app)).toEqual({ [reference]: first });
    expect((await build(await newApp(), reference)).stderr).toContain('\nthis is three\n');
  });

  it('is refused with --frozen when the lock does not name it', async () => {
    const app = await newApp();
    await cli.run(['build', app, '--base', cli.base(), '--buildpack', join(repository)]);
    const refused = await build(app, url, '--frozen');
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(cli.plain(refused.stderr)).toBe(
      [
        `error LOCK_FROZEN: the lock would change: buildpack ${url} is not in pack-build.lock`,
        '  why:  --frozen builds only from what the lock names',
        '  fix:  build once without --frozen and keep pack-build.lock',
        '',
      ].join('\n'),
    );
  });

  it('is told when there is no such repository or ref, and credentials are not', async () => {
    const app = await newApp();
    const noRef = await build(app, `${url}#nowhere`);
    expect(noRef.status).toBe(20);
    expect(noRef.stderr).toMatch(/^error BUILDPACK_FETCH_FAILED: /m);
    expect(noRef.stderr).toContain('nowhere');
    const secret = `${server.url.replace('http://', 'http://user:s3cr3t@')}/absent.git`;
    const absent = await build(app, secret);
    expect(absent.status).toBe(20);
    expect(absent.stderr).toMatch(/^error BUILDPACK_FETCH_FAILED: /m);
    expect(`${absent.stdout}${absent.stderr}`).not.toContain('s3cr3t');
    expect((await cli.traces()).temporary).toEqual([]);
  });
});

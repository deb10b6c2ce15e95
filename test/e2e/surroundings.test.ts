import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { makeDen } from '../support/faults.js';
import { buildpack } from '../support/product.js';

const cli = useCli();

let app: string;
let bp: string;
let digest: string;
beforeAll(async () => {
  app = await cli.directory({ Procfile: 'web: sleep 1\n', 'näme with spaces': 'x\n' });
  bp = await cli.directory(
    buildpack({ compile: 'mkdir "$1/made"; echo made > "$1/made/é"; echo "$HOME" > "$1/home"' }),
  );
  const { stdout, stderr } = await cli.run(['build', app, '--buildpack', bp, '--base', cli.base()]);
  digest = digestIn(stdout);
  expect({ digest, stderr }).toEqual({ digest: expect.stringMatching(/^sha256:/), stderr: expect.any(String) });
});

const digestIn = (text: string) => /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? '';

/** Builds the app after a line of shell (`$0` is a directory of its own), and names no cache if HOME is to count. */
async function built(line: string, env: Readonly<Record<string, string>> = {}) {
  const den = await makeDen(cli);
  await cp(app, join(den.directory, 'app'), { recursive: true });
  const to = `oci:${den.directory}/image:v1`;
  const args = ['build', join(den.directory, 'app'), '--buildpack', bp, '--base', cli.base(), '--to', to];
  const inside = process.getuid?.() === 0 ? '-m' : '-mr';
  const node = ['unshare', inside, 'sh', '-c', `${line}; exec "$@"`, den.directory, process.execPath];
  const run = await cli.run(args, { cwd: den.directory, env: { ...den.env, ...env }, node });
  return { ...run, den };
}

describe('a build gives the same digest', () => {
  it.each<readonly [string, string, Readonly<Record<string, string>>]>([
    ['with umask 077', 'umask 077', {}],
    ['with umask 000', 'umask 000', {}],
    ['in the locale C', ':', { LANG: 'C', LC_ALL: 'C' }],
    ['in a locale that is not UTF-8', ':', { LANG: 'de_DE.ISO-8859-1', LC_ALL: 'de_DE.ISO-8859-1' }],
    ['in a locale that is not installed', ':', { LC_ALL: 'xx_XX.UTF-8' }],
    ['without HOME', 'unset HOME', {}],
    ['with an empty HOME', 'HOME=', {}],
    ['with a HOME that is not there', 'HOME=/nowhere/at/all', {}],
    [
      'with a HOME that can only be read',
      'mkdir "$0/home" && mount -t tmpfs -o ro none "$0/home"; export HOME="$0/home"',
      {},
    ],
    ['where no temporary file can be executed', 'mount -t tmpfs -o noexec none "$0/tmp"', {}],
    [
      'with spaces and a newline in the name for temporary files',
      'export TMPDIR="$0/tmp/a  b\nc"; mkdir "$TMPDIR"',
      {},
    ],
    ['with spaces and a newline in the name of the cache', 'export PACK_BUILD_CACHE_DIR="$0/a  b\nc"', {}],
  ])('FLT-16 %s', async (_, line, env) => {
    const { status, stdout, stderr, den } = await built(line, env);
    expect({ status, digest: digestIn(stdout), stderr }).toEqual({ status: 0, digest, stderr: expect.any(String) });
    const left = await readdir(join(den.directory, 'tmp'));
    expect(left.filter((name) => !name.startsWith('a  b'))).toEqual([]);
  });

  it('FLT-16 of an app, to a place, in directories with spaces and newlines in their names', async () => {
    const odd = join(await cli.directory({ 'x  y\nz/empty': '' }), 'x  y\nz');
    const digests: string[] = [];
    for (const directory of [await cli.directory(), odd]) {
      await cp(app, join(directory, 'app'), { recursive: true });
      await cp(bp, join(directory, 'bp'), { recursive: true });
      const args = ['build', './app', '--buildpack', './bp', '--base', cli.base(), '--to', 'oci:./im age:v1'];
      digests.push(digestIn((await cli.run(args, { cwd: directory })).stdout));
    }
    expect(digests).toEqual([expect.stringMatching(/^sha256:/), digests[0]]);
    expect((await cli.run(['inspect', `oci:${odd}/im age:v1`])).status).toBe(0);
  });
});

describe('a build says what is in its way', () => {
  it.each([
    ['a working directory that is gone', 'mkdir "$0/gone"; cd "$0/gone"; rmdir "$0/gone"'],
    [
      'a cache below a HOME that can only be read',
      'unset PACK_BUILD_CACHE_DIR; mkdir "$0/home" && mount -t tmpfs -o ro none "$0/home"; export HOME="$0/home"',
    ],
    ['a directory for temporary files that is not there', 'export TMPDIR="$0/none/at/all"'],
  ])('FLT-16 %s', async (_, line) => {
    const { status, stdout, stderr } = await built(line);
    if (status === 0) expect(digestIn(stdout)).toBe(digest);
    else expect(stderr).toMatch(/^error (?!INTERNAL)[A-Z_]+: .*\n {2}why: {2}.*\n {2}fix: {2}/m);
  });
});

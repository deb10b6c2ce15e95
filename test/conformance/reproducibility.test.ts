import { cp, mkdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack, type Files, writeFiles } from '../support/product.js';

const { base, cacheDir, directory, run } = useCli();

const APP: Files = {
  Procfile: 'web: bin/web\n',
  'bin/web': { text: '#!/bin/sh\necho hello\n', mode: 0o755 },
  'lib/ä/deep': 'x',
  link: { link: 'lib' },
  empty: { directory: true },
};

/** Writes files in an order of its own, runtimes and dependencies among them, and uses its cache. */
const BUILDPACK = buildpack({
  compile: `set -e
    mkdir -p "$1/.heroku/runtime" "$1/node_modules/a" "$1/.profile.d"
    head -c 1500000 /dev/zero > "$1/.heroku/runtime/big"
    for n in $(ls / | sort -R); do echo "$n" > "$1/node_modules/a/$n"; done
    test -e "$2/made" || { sleep 0.01; echo made > "$2/made"; }
    ln "$2/made" "$1/made"
    umask > "$1/environment"; env | grep -v '^_=' | sort >> "$1/environment"; pwd >> "$1/environment"`,
  release: 'echo "default_process_types: {console: bash}"',
});

interface Circumstances {
  readonly source: string;
  readonly cacheDir?: string;
  readonly cwd?: string;
  readonly umask?: number;
  readonly env?: Readonly<Record<string, string>>;
}

async function digestOf({
  source,
  cacheDir: cache,
  cwd = '/',
  umask = 0o022,
  env = {},
}: Circumstances): Promise<string> {
  const out = join(await directory(), 'image');
  const args = ['build', source, '--base', base(), '--network', 'none', '--to', `oci:${out}:latest`];
  const old = process.umask(umask);
  const all = [...args, '--buildpack', join(source, '../buildpack'), '--cache-dir', cache ?? cacheDir()];
  const outcome = await run(all, { cwd, env }).finally(() => process.umask(old));
  if (outcome.status !== 0) throw new Error(outcome.stderr);
  const index = JSON.parse(await readFile(join(out, 'index.json'), 'utf8'));
  expect(outcome.stdout).toBe(`oci:${out}@${index.manifests[0].digest}\n`);
  return index.manifests[0].digest;
}

async function place(): Promise<string> {
  const home = await directory();
  await writeFiles(join(home, 'buildpack'), BUILDPACK);
  await writeFiles(join(home, 'app'), APP);
  return join(home, 'app');
}

describe('one app gives one digest', () => {
  it('from any directory, in any environment, with any cache, at any time', async () => {
    const [source, other] = [await place(), await place()];
    await utimes(join(other, 'bin/web'), 1, 1);
    const expected = await digestOf({ source });
    const circumstances: readonly Circumstances[] = [
      { source },
      { source, cacheDir: await directory() },
      { source: other, cwd: join(other, 'bin') },
      { source: other, umask: 0o077 },
      { source, umask: 0 },
      { source, env: { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', LC_ALL: 'tr_TR.UTF-8' } },
      { source, env: { HOME: await directory(), USER: 'someone', TMPDIR: await directory() } },
      { source, env: { NODE_OPTIONS: '--no-warnings', DYNO: 'web.1', GIT_DIR: '.', EDITOR: 'vi' } },
    ];
    for (const each of circumstances) expect([each, await digestOf(each)]).toEqual([each, expected]);
  });

  it('from a copy of the app', async () => {
    const source = await place();
    const copy = join(await directory(), 'app');
    await cp(source, copy, { recursive: true, verbatimSymlinks: true });
    await cp(join(source, '../buildpack'), join(copy, '../buildpack'), { recursive: true });
    expect(await digestOf({ source: copy })).toBe(await digestOf({ source }));
  });

  it('and another digest when a byte, a mode, a link or a setting differs', async () => {
    const expected = await digestOf({ source: await place() });
    const changed = async (files: Files, env = {}) => {
      const home = await directory();
      await writeFiles(join(home, 'buildpack'), BUILDPACK);
      await mkdir(join(home, 'app'));
      await writeFiles(join(home, 'app'), { ...APP, ...files });
      return digestOf({ source: join(home, 'app'), env });
    };
    const digests = [
      await changed({ 'lib/ä/deep': 'y' }),
      await changed({ 'bin/web': { text: '#!/bin/sh\necho hello\n', mode: 0o644 } }),
      await changed({ link: { link: 'lib/' } }),
      await changed({}, { SOURCE_DATE_EPOCH: '1000000000' }),
    ];
    expect(new Set([expected, ...digests]).size).toBe(5);
  });
});

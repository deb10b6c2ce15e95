import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';

const cli = useCli();

const PARTS = ['blobs', 'layers', 'roots', 'inventories', 'sources', 'apps', 'tarballs', 'bases', 'packages', 'work'];

/** Names and counts; sizes depend on the machine's programs. */
const told = (text: string) => cli.plain(text).replaceAll(/ +\d+\.\d MB/g, ' N MB');

describe('pack-build cache', () => {
  it('tells what an empty cache holds, and makes none', async () => {
    const cacheDir = await cli.directory();
    const { status, stdout, stderr } = await cli.run(['cache', 'info', '--cache-dir', cacheDir]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(told(stdout)).toBe(
      `${[`${cli.plain(cacheDir)}/v1`, ...PARTS.map((name) => `${name} N MB  0 entries`)].join('\n')}\n`,
    );
    expect(await cli.treeOf(cacheDir)).toEqual([]);
  });

  it('tells what a build has put there, and prune removes all that can be made anew quickly', async () => {
    const app = await cli.directory({ Procfile: 'web: true\n' });
    const cacheDir = await cli.directory();
    const build = ['build', app, '--base', cli.base(), '--cache-dir', cacheDir, '--quiet'];
    const built = await cli.run(build);
    const filled = await cli.run(['cache', 'info', '--cache-dir', cacheDir]);
    expect(told(filled.stdout)).toMatch(/^roots +N MB {2}1 entries$/m);
    expect(told(filled.stdout)).toMatch(/^apps +N MB {2}1 entries$/m);
    const planned = await cli.run(['cache', 'prune', '--cache-dir', cacheDir, '--dry-run']);
    expect(planned.stdout).toMatch(new RegExp(`^would be removed from ${cacheDir}/v1\n`));
    expect((await cli.run(['cache', 'info', '--cache-dir', cacheDir])).stdout).toBe(filled.stdout);
    const pruned = await cli.run(['cache', 'prune', '--cache-dir', cacheDir]);
    expect(pruned.stdout).toBe(planned.stdout.replace('would be removed', 'removed'));
    expect(told(pruned.stdout)).toMatch(/^roots +N MB {2}1 entries$/m);
    expect(told(pruned.stdout)).toMatch(/^left N MB {2}0 entries, 0 of them in use$/m);
    const empty = await cli.run(['cache', 'info', '--cache-dir', cacheDir]);
    expect(empty.stdout.match(/\d+ entries/g)).toEqual(PARTS.map(() => '0 entries'));
    expect((await cli.run(build)).stdout).toBe(built.stdout);
  });

  it('prune keeps what was used within the hour, and removes the rest by size and by age', async () => {
    const app = await cli.directory({ Procfile: 'web: true\n' });
    const cacheDir = await cli.directory();
    const build = ['build', app, '--base', cli.base(), '--cache-dir', cacheDir, '--quiet'];
    const built = await cli.run(build);
    const prune = async (...flags: readonly string[]) =>
      JSON.parse((await cli.run(['cache', 'prune', '--json', '--cache-dir', cacheDir, ...flags])).stdout);
    const everything = (await prune('--max-size', '100GB')).left;
    expect((await prune('--max-size', '0B')).left).toEqual(everything);
    expect((await prune('--max-age', '1m')).left).toEqual(everything);

    const used = join(cacheDir, 'v1/used');
    const dayAgo = Date.now() / 1000 - 86_400;
    for (const name of readdirSync(used)) utimesSync(join(used, name), dayAgo, dayAgo);
    expect((await prune('--max-age', '25h')).left).toEqual(everything);
    expect((await prune('--max-size', '100GB')).left).toEqual(everything);
    const { left, parts } = await prune('--max-age', '23h');
    expect(left.entries).toBeLessThan(everything.entries);
    expect(parts).toContainEqual({
      name: 'roots',
      path: join(cacheDir, 'v1/roots'),
      bytes: expect.any(Number),
      entries: 1,
    });
    expect((await cli.run(build)).stdout).toBe(built.stdout);
  });

  it('never reads the cache of another version, tells of it, and leaves it alone for an hour', async () => {
    const cacheDir = await cli.directory({ 'v0/blobs/x': 'old', 'v12/y': 'new', 'vnext/z': '', 'notes/v': '' });
    const info = await cli.run(['cache', 'info', '--cache-dir', cacheDir]);
    expect(told(info.stdout)).toMatch(
      /\nv0 N MB {2}of another version, never read by this one\nv12 N MB {2}of another version, never read by this one\n$/,
    );
    const before = await cli.treeOf(cacheDir);
    await cli.run(['cache', 'prune', '--cache-dir', cacheDir, '--all']);
    expect((await cli.treeOf(cacheDir)).filter((line) => !line.startsWith('v1/'))).toEqual(before);
  });

  it('refuses bounds that are none', async () => {
    const age = await cli.run(['cache', 'prune', '--max-age', '30']);
    expect({ status: age.status, stderr: age.stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('90m, 12h, 30d; not "30"'),
    });
    expect((await cli.run(['cache', 'prune', '--max-size', 'much'])).status).toBe(2);
  });

  it('is where --cache-dir says, else PACK_BUILD_CACHE_DIR, else in XDG_CACHE_HOME, else in the home directory', async () => {
    const rootWith = async (env: Readonly<Record<string, string>>, ...flags: readonly string[]) =>
      JSON.parse((await cli.run(['cache', 'info', '--json', ...flags], { env })).stdout).root;
    const env = { PACK_BUILD_CACHE_DIR: '/b', XDG_CACHE_HOME: '/c', HOME: '/d' };
    expect(await rootWith(env, '--cache-dir', '/a')).toBe('/a/v1');
    expect(await rootWith(env)).toBe('/b/v1');
    expect(await rootWith({ ...env, PACK_BUILD_CACHE_DIR: '' })).toBe('/c/pack-build/v1');
    expect(await rootWith({ HOME: '/d', PACK_BUILD_CACHE_DIR: '' })).toBe('/d/.cache/pack-build/v1');
  });
});

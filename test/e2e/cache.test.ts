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
    const pruned = await cli.run(['cache', 'prune', '--cache-dir', cacheDir]);
    expect(pruned.stdout).toMatch(new RegExp(`^removed from ${cacheDir}/v1\n`));
    expect(told(pruned.stdout)).toMatch(/^roots +N MB {2}1 entries$/m);
    const empty = await cli.run(['cache', 'info', '--cache-dir', cacheDir]);
    expect(empty.stdout.match(/\d+ entries/g)).toEqual(PARTS.map(() => '0 entries'));
    expect((await cli.run(build)).stdout).toBe(built.stdout);
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

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ownIdentity } from '../../src/system/identity.js';
import { useCli } from '../support/command-line.js';

const cli = useCli();

/** So many apps, with a buildpack that writes layers of its own and uses CACHE_DIR. */
const APPS = 4;

const buildpack = () =>
  cli.directory({
    'bin/detect': { text: '#!/bin/sh\necho Many\n', mode: 0o755 },
    'bin/compile': {
      text: [
        '#!/bin/sh',
        'echo kept >> "$2/log"',
        'mkdir -p "$1/vendor/runtime"',
        // The same runtime for all apps, and a thing of each app's own.
        'for n in 1 2 3 4 5 6 7 8; do printf "%04096d" "$n" > "$1/vendor/runtime/$n"; done',
        'cp "$1/name" "$1/vendor/own"',
        '',
      ].join('\n'),
      mode: 0o755,
    },
    'bin/release': { text: '#!/bin/sh\necho "---"\n', mode: 0o755 },
  });

async function apps() {
  const made: string[] = [];
  for (let at = 0; at < APPS; at += 1)
    made.push(await cli.directory({ Procfile: 'web: true\n', name: `app ${at}\n`, 'lib/x': 'x'.repeat(10_000) }));
  return made;
}

/** Builds all at once, and returns what each printed: its digest. */
async function buildAll(sources: readonly string[], from: string, cacheDir: string): Promise<readonly string[]> {
  const runs = sources.map((source) =>
    cli.run(['build', source, '--buildpack', from, '--base', cli.base(), '--cache-dir', cacheDir, '--quiet']),
  );
  const done = await Promise.all(runs);
  const failed = done.filter(({ status }) => status !== 0).map(({ stderr }) => cli.plain(stderr));
  expect(failed).toEqual([]);
  return done.map(({ stdout }) => stdout);
}

describe('many builds over one cache', () => {
  it('FLT-7 agree, three times sixteen at once, and leave no lock, no lease and no work', async () => {
    const [cacheDir, alone, from, sources] = [
      await cli.directory(),
      await cli.directory(),
      await buildpack(),
      await apps(),
    ];
    const expected: string[] = [];
    for (const source of sources) expected.push(...(await buildAll([source], from, alone)));
    const sixteen = Array.from({ length: 4 }, () => sources).flat();
    for (let round = 0; round < 3; round += 1) {
      const digests = await buildAll(sixteen, from, cacheDir);
      expect(digests).toEqual(Array.from({ length: 4 }, () => expected).flat());
    }
    const left = (await cli.treeOf(join(cacheDir, 'v1'))).map((line) => line.split(' ')[0] as string);
    expect(left.filter((path) => /\.(lock|holder|breaker)\b|\/\.staged-|^(work|leases)\/./.test(path))).toEqual([]);
  }, 180_000);

  it('FLT-7 break the locks that dead ones have left, also of an id that another process has now', async () => {
    const [cacheDir, from, [source = '']] = [await cli.directory(), await buildpack(), await apps()];
    const [expected] = await buildAll([source], from, cacheDir);
    const places = ['apps', 'roots'].flatMap((part) => {
      const directory = join(cacheDir, 'v1', part);
      return readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(directory, name));
    });
    expect(places).toHaveLength(2);
    // A process with this test's id that was started before it, and one that has ended.
    const reborn = { ...(await ownIdentity()), started: '1', host: 'here' };
    const ended = { ...reborn, pid: cli.start(['--version']).child.pid };
    for (const [at, place] of [...places, join(cacheDir, 'v1/prune')].entries()) {
      mkdirSync(`${place}.lock`);
      writeFileSync(`${place}.holder`, JSON.stringify(at === 1 ? ended : reborn));
    }
    const begun = performance.now();
    expect(await buildAll([source, source], from, cacheDir)).toEqual([expected, expected]);
    expect(performance.now() - begun).toBeLessThan(8_000);
  }, 60_000);
});

describe('prunes in a loop beside builds', () => {
  it('FLT-13 harm no build and change no digest', async () => {
    const [cacheDir, alone, from, sources] = [
      await cli.directory(),
      await cli.directory(),
      await buildpack(),
      await apps(),
    ];
    const expected: string[] = [];
    for (const source of sources) expected.push(...(await buildAll([source], from, alone)));
    let over = false;
    let removed = 0;
    let spared = 0;
    const prunes = (async () => {
      while (!over) {
        const { status, stdout } = await cli.run(['cache', 'prune', '--json', '--cache-dir', cacheDir]);
        expect(status).toBe(0);
        const { parts, left } = JSON.parse(stdout);
        for (const { entries } of parts) removed += entries;
        spared += left.inUse;
      }
    })();
    for (let round = 0; round < 6; round += 1) expect(await buildAll(sources, from, cacheDir)).toEqual(expected);
    over = true;
    await prunes;
    expect(removed).toBeGreaterThan(10);
    expect(spared).toBeGreaterThan(0);
  }, 180_000);
});

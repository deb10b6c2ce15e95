import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { type Den, forEach, makeDen, runFaulty, spread } from '../support/faults.js';
import { buildpack } from '../support/product.js';

const cli = useCli();
const LONG = 300_000;
const COMPILE = 'mkdir "$1/made"; echo made > "$1/made/file"; echo kept > "$2/kept"';

let app: string;
let bp: string;
let old: string;
let digest: string;
beforeAll(async () => {
  app = await cli.directory({ Procfile: 'web: sleep 1\n' });
  bp = await cli.directory(buildpack({ compile: COMPILE }));
  old = join(await cli.directory(), 'image');
  const { stdout } = await cli.run(['build', app, '--buildpack', bp, '--base', cli.base(), '--to', `oci:${old}:v1`]);
  digest = digestIn(stdout);
  expect(digest).toMatch(/^sha256:/);
});

const digestIn = (text: string) => /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? '';

async function den(): Promise<Den> {
  const made = await makeDen(cli);
  await cp(app, join(made.directory, 'app'), { recursive: true });
  return made;
}

const building = ({ directory }: Den, to = `oci:${directory}/image:v1`) => [
  ...['build', join(directory, 'app'), '--buildpack', bp, '--base', cli.base(), '--to', to],
];

/** Temporary files, locks and parts of an image: nothing of these may stay. */
async function leftIn({ directory }: Den): Promise<readonly string[]> {
  const names = await promisify(execFile)('find', [directory, '-mindepth', '1', '-printf', '%P\\n']);
  const isLeft = (name: string) => /-p\d+\.|staged|partial|\.(holder|breaker)$|\.lock\/|^tmp\/./.test(name);
  return names.stdout.split('\n').filter(isLeft);
}

const REMOVING = /why: {2}\w+: injected, (rm|rmdir|unlink) /;

const CODES: Readonly<Record<string, RegExp>> = {
  ENOSPC: /^error DISK_FULL: /m,
  EDQUOT: /^error DISK_FULL: .*\n {2}why: {2}the disk quota is used up/m,
  EIO: /^error STORE_FAILED: .*\n {2}why: {2}EIO/m,
  EROFS: /^error STORE_FAILED: .*\n {2}why: {2}EROFS/m,
  EMFILE: /^error (STORE_FAILED|TOOL_FAILED): .*\n {2}why: {2}.*EMFILE.*\n {2}fix: {2}allow more open files/m,
};

describe.each(Object.keys(CODES))('a build to which %s happens', (code) => {
  it(
    'FLT-5 once: it does without, or says so and leaves nothing; the cache is good',
    async () => {
      const clean = await den();
      const { count } = await runFaulty(cli, building(clean), clean);
      let failures = 0;
      await forEach(spread(Math.floor(count * 0.9), 6), async (at) => {
        const one = await den();
        const run = await runFaulty(cli, building(one), one, `${code}@${at}`);
        if (run.status !== 0) {
          failures += 1;
          expect({ at, stderr: run.stderr }).toEqual({ at, stderr: expect.stringMatching(CODES[code] as RegExp) });
          expect([50, 80]).toContain(run.status);
        }
        expect({ at, left: await leftIn(one) }).toEqual({ at, left: [] });
        const again = await runFaulty(cli, building(one), one);
        expect({ status: again.status, digest: digestIn(again.stdout) }).toEqual({ status: 0, digest });
      });
      expect(failures).toBeGreaterThan(0);
    },
    LONG,
  );
});

describe('a build to which it goes on to happen', () => {
  it.each(['ENOSPC', 'EIO'])(
    'FLT-5 %s from some step on, also to what cleans up: the first failure is told, and the next run sweeps',
    async (code) => {
      const clean = await den();
      const { count } = await runFaulty(cli, building(clean), clean);
      let hidden = 0;
      await forEach(spread(Math.floor(count * 0.8), 4), async (at) => {
        const one = await den();
        const run = await runFaulty(cli, building(one), one, `${code}@${at}-`);
        expect({ at, status: run.status, stderr: run.stderr }).toEqual({
          at,
          status: 50,
          stderr: expect.stringMatching(CODES[code] as RegExp),
        });
        const [, first = ''] = run.steps.find((line) => line.startsWith('fault '))?.split(' ') ?? [];
        if (!['rm', 'rmdir', 'unlink'].includes(first)) {
          hidden += 1;
          expect(run.stderr).not.toMatch(REMOVING);
        }
        const again = await runFaulty(cli, building(one), one);
        expect({ status: again.status, digest: digestIn(again.stdout) }).toEqual({ status: 0, digest });
        expect({ at, left: await leftIn(one) }).toEqual({ at, left: [] });
      });
      expect(hidden).toBeGreaterThan(0);
    },
    LONG,
  );
});

/** Runs a build after a line of shell (`$0` is the den) in a mount namespace of its own. */
async function runAfter(line: string, one: Den, args: readonly string[]) {
  const script = `${line}; "$@"; status=$?; find "$0/cache" "$0/tmp" -name "*-p[0-9]*.*" -printf "left: %P\\n"; exit $status`;
  const node = [
    'unshare',
    process.getuid?.() === 0 ? '-m' : '-mr',
    'sh',
    '-c',
    script,
    one.directory,
    process.execPath,
  ];
  const run = await cli.run(args, { cwd: one.directory, env: one.env, node });
  return { ...run, left: run.stdout.match(/^left: .*/gm) ?? [] };
}

describe('a build over a file system that is', () => {
  it.each([
    [
      'full under the private directories',
      'mkdir "$0/cache/v1/work" && mount -t tmpfs -o size=4k none "$0/cache/v1/work"',
    ],
    ['full under the blobs', 'mkdir "$0/cache/v1/blobs" && mount -t tmpfs -o size=4k none "$0/cache/v1/blobs"'],
    ['full under the temporary files', 'mount -t tmpfs -o size=4k,nr_inodes=1 none "$0/tmp"'],
  ])('FLT-5 %s: it says where and how much is free, and leaves nothing', async (_, line) => {
    const one = await den();
    const run = await runAfter(line, one, building(one));
    expect({ status: run.status, left: run.left }).toEqual({ status: 50, left: [] });
    expect(run.stderr).toMatch(
      /^error DISK_FULL: there is no room left to write in \S+\n {2}why: .*; free \d+ bytes$/m,
    );
    const again = await cli.run(building(one), { env: one.env });
    expect({ status: again.status, digest: digestIn(again.stdout) }).toEqual({ status: 0, digest });
  });

  it.each([
    ['the cache', 'mount -t tmpfs -o ro none "$0/cache"'],
    ['the temporary files', 'mount -t tmpfs -o ro none "$0/tmp"'],
    ['the target', 'mkdir "$0/out" && mount -t tmpfs -o ro none "$0/out"'],
  ])('FLT-5 read-only under %s: it says so with the path', async (_, line) => {
    const one = await den();
    const run = await runAfter(line, one, building(one, `oci:${one.directory}/out/image:v1`));
    expect(run.status).toBe(50);
    expect(run.stderr).toMatch(
      /^error STORE_FAILED: .*\/(cache|tmp|out)\b.*\n {2}why: {2}.*(EROFS|Read-only file system|read-only)/m,
    );
    expect(run.left).toEqual([]);
  });

  it.each(['oci-archive', 'docker-archive'])('FLT-4 full under an %s: the old one stays as it was', async (kind) => {
    const one = await den();
    const place = `${kind}:${one.directory}/out/image.tar:shop`;
    const seen = 'sha256sum "$0/out/image.tar" && ls -A "$0/out"';
    const line = `mkdir "$0/out" && mount -t tmpfs -o size=64k none "$0/out" && touch "$0/out/image.tar" && ${seen}`;
    const { status, stdout, stderr } = await runAfter(`trap '${seen}' EXIT; ${line}`, one, building(one, place));
    expect(status).toBe(50);
    expect(stderr).toContain(`error DISK_FULL: there is no room left to write ${place}`);
    const [before, name, then, still, ...more] = stdout
      .trim()
      .split('\n')
      .filter((text) => !text.startsWith('left'));
    expect([name, then, still, more]).toEqual(['image.tar', before, 'image.tar', []]);
  });
});

describe('a build that may open few files', () => {
  it.each([24, 28, 34, 64])('FLT-5 (%d) works, or says so and leaves nothing', async (limit) => {
    const one = await den();
    const run = await runAfter(`ulimit -n ${limit}`, one, building(one));
    expect(run.left).toEqual([]);
    if (run.status === 0) expect(digestIn(run.stdout)).toBe(digest);
    else expect(run.stderr).toMatch(/EMFILE|[Tt]oo many open files/);
    const again = await cli.run(building(one), { env: one.env });
    expect({ status: again.status, digest: digestIn(again.stdout) }).toEqual({ status: 0, digest });
  });
});

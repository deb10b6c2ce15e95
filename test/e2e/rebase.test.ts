import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';

const cli = useCli();

const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt /etc/patched\n' };

/** An image on the tag `run` of the tiny base, in a layout of its own. Returns its place and its digest. */
async function image(base = cli.base()): Promise<{ readonly place: string; readonly digest: string }> {
  const app = await cli.directory(APP);
  const place = `oci:${app}-image:v1`;
  const { stdout } = await cli.run(['build', app, '--base', base, '--build-base', cli.base(), '--to', place]);
  return { place, digest: stdout.trim().split('@')[1] ?? '' };
}

const REPORT = [
  '-----> From run (N, A old) to next (N, A old)',
  '       layers: 0 out, 1 in (0.0 MB), 3 of the app stay',
  '       packages upgraded: 1',
  '         tiny 1-1 -> 1-2',
  '       Env FROM_NEXT_BASE: (none) -> 1 (new base)',
  '       Env PATH: /usr/local/bin:/usr/bin:/bin -> /opt/next/bin:/usr/local/bin:/usr/bin:/bin (new base)',
  '       Labels example.patch: (none) -> 2 (new base)',
  '       platform holds: both are linux/amd64',
  '       stack holds: the stack stays debian-12',
  '       distro holds: the distro stays debian 12',
  '       uid holds: the app runs as 1000:1000',
  '       needs holds: what the app refers to is in the new base as it was in the old one',
  '       downgrade holds: no package gets older',
  '',
].join('\n');

/** What a plan says of the place that it would write to, on top of all else. */
const MOVES = /^ {7}to oci:\S+: 0\.0 MB to send \(layers: 4 there, 1 to send\)\n$/;

const told = (text: string) =>
  text
    .replaceAll(/sha256:[0-9a-f]{12}\b/g, 'N')
    .replaceAll(/\b\d+ (day|month|year)s old/g, 'A old')
    .replaceAll('arm64', 'amd64');

describe('pack-build rebase', () => {
  it('moves the image in its own place to another base, as a build on it would have made it', async () => {
    const { place } = await image();
    const onNext = await image(cli.base('next'));
    const { status, stdout, stderr } = await cli.run(['rebase', place, '--base', cli.base('next')]);
    expect(status).toBe(0);
    expect(stdout).toBe(`${place.replace(/:v1$/, '')}@${onNext.digest}\n`);
    expect(told(stderr)).toBe(REPORT);
    expect((await cli.run(['run', place])).stdout).toBe('hello\nyes\n');
  });

  it('--plan tells the same and writes nothing', async () => {
    const { place } = await image();
    const directory = place.slice('oci:'.length, -':v1'.length);
    const before = await cli.treeOf(directory);
    for (const flags of [[], ['--quiet']]) {
      const plan = await cli.run(['rebase', place, '--base', cli.base('next'), '--plan', ...flags]);
      const report = told(plan.stdout).slice(0, REPORT.length);
      expect({ ...plan, stdout: report }).toMatchObject({ status: 0, stdout: REPORT, stderr: '' });
      expect(told(plan.stdout).slice(REPORT.length)).toMatch(MOVES);
    }
    expect(await cli.treeOf(directory)).toEqual(before);
  });

  it('--plan --json tells it as data: ages, layers, reasons, and what would move where', async () => {
    const { place } = await image();
    const archive = `oci-archive:${await cli.directory()}/moved.tar`;
    const args = ['rebase', place, '--base', cli.base('next'), '--plan', '--json', '--to', archive];
    const { status, stdout } = await cli.run(args);
    expect(status).toBe(0);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    const base = { digest, created: '2026-01-02T03:04:05Z', ageSeconds: expect.any(Number) };
    expect(result).toMatchObject({
      digest,
      references: [],
      plan: {
        from: { ...base, name: 'run' },
        to: { ...base, name: 'next' },
        layersOut: [],
        layersIn: [{ diffId: digest, digest, size: expect.any(Number) }],
        layersKept: 3,
        changes: expect.arrayContaining([{ field: 'Env FROM_NEXT_BASE', after: '1', base: '1', why: 'base' }]),
        packages: { upgraded: [{ name: 'tiny', before: '1-1', after: '1-2' }] },
        shadowed: [],
        checks: expect.arrayContaining([expect.objectContaining({ name: 'needs', verdict: 'holds' })]),
      },
      transfers: [{ place: archive, there: 0, bytes: expect.any(Number) }],
    });
    const { lacks, bytes } = result.transfers[0];
    expect(lacks).toHaveLength(5);
    const layers = lacks.reduce((sum: number, { size }: { size: number }) => sum + size, 0);
    expect(bytes).toBeGreaterThan(layers);
  });

  it('leaves an image alone that stands on the base already, and goes back as it came', async () => {
    const { place, digest } = await image();
    const same = await cli.run(['rebase', place, '--base', cli.base()]);
    expect(same.stdout).toContain(digest);
    expect(told(same.stderr)).toBe('-----> The image stands on run (N) already\n');
    await cli.run(['rebase', place, '--base', cli.base('next')]);
    const refused = await cli.run(['rebase', place, '--base', cli.base()]);
    expect(refused.stderr).toBe(
      [
        'error REBASE_DOWNGRADE: the image cannot be moved to this base: packages of the new base are older: tiny 1-2 -> 1-1',
        '  fix:  name another base, or accept it with --allow-downgrade',
        '',
      ].join('\n'),
    );
    const back = await cli.run(['rebase', place, '--base', cli.base(), '--quiet', '--allow-downgrade']);
    expect(back.stdout).toBe(`${place.replace(/:v1$/, '')}@${digest}\n`);
    expect(back.stderr).toBe('');
  });

  it('writes to other places when they are named, and not to its own', async () => {
    const { place, digest } = await image();
    const archive = `oci-archive:${await cli.directory()}/moved.tar`;
    const moved = await cli.run(['rebase', place, '--base', cli.base('next'), '--to', archive, '--quiet']);
    expect(moved.stdout.startsWith(`${archive}@sha256:`)).toBe(true);
    expect((await cli.run(['inspect', place])).stdout).toContain(digest);
    expect((await cli.run(['run', archive])).stdout).toBe('hello\nyes\n');
  });

  const refusals = [
    ['other-stack', '--allow-stack-change', 'REBASE_STACK_MISMATCH', 'the stack changes from debian-12 to heroku-22'],
    [
      'other-distro',
      '--allow-distro-change',
      'REBASE_DISTRO_MISMATCH',
      'the distro changes from debian 12 to debian 13',
    ],
    [
      'other-uid',
      '--allow-uid-change',
      'REBASE_UID_MISMATCH',
      'the app runs as user 1000, the new base is made for user 2000',
    ],
  ] as const;
  for (const [tag, flag, code, what] of refusals) {
    it(`refuses the base ${tag}, and takes it with ${flag}`, async () => {
      const { place, digest } = await image();
      const refused = await cli.run(['rebase', place, '--base', cli.base(tag)]);
      expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 70, stdout: '' });
      expect(refused.stderr).toBe(
        [
          `error ${code}: the image cannot be moved to this base: ${what}`,
          `  fix:  name another base, or accept it with ${flag}`,
          '',
        ].join('\n'),
      );
      expect((await cli.run(['inspect', place])).stdout).toContain(digest);
      const plan = await cli.run(['rebase', place, '--base', cli.base(tag), '--plan']);
      expect({ status: plan.status, stderr: plan.stderr }).toEqual({ status: 70, stderr: '' });
      expect(plan.stdout).toContain(` fails: ${what}; ${flag} accepts it\n`);
      const asData = await cli.run(['rebase', place, '--base', cli.base(tag), '--plan', '--json']);
      expect(asData.status).toBe(70);
      expect(JSON.parse(asData.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
        type: 'result',
        plan: { checks: expect.arrayContaining([expect.objectContaining({ code, verdict: 'fails', waiver: flag })]) },
      });
      const planned = await cli.run(['rebase', place, '--base', cli.base(tag), '--plan', flag]);
      expect(planned.status).toBe(0);
      const accepted = await cli.run(['rebase', place, '--base', cli.base(tag), flag]);
      expect(accepted.status).toBe(0);
    });
  }

  it('refuses a base that lacks what the app refers to, and takes it with --allow-abi-break', async () => {
    const app = await cli.directory({ ...APP, 'bin/report': { text: '#!/usr/bin/only-in-build\n', mode: 0o755 } });
    const place = `oci:${app}-image:v1`;
    await cli.run(['build', app, '--base', cli.base('build'), '--to', place]);
    const refused = await cli.run(['rebase', place, '--base', cli.base('next')]);
    expect(refused).toMatchObject({
      status: 70,
      stdout: '',
      stderr: [
        'error REBASE_BASE_LACKS: the image cannot be moved to this base: the new base lacks /usr/bin/only-in-build, which the app refers to',
        '  fix:  name another base, or accept it with --allow-abi-break',
        '',
      ].join('\n'),
    });
    expect((await cli.run(['rebase', place, '--base', cli.base('next'), '--allow-abi-break'])).status).toBe(0);
  });

  it('refuses a base on which nothing can be started', async () => {
    const { place, digest } = await image();
    const refused = await cli.run(['rebase', place, '--base', cli.base('without-bash'), '--allow-abi-break']);
    expect(refused).toMatchObject({ status: 10, stdout: '' });
    expect(cli.plain(refused.stderr)).toBe(
      [
        'error BASE_UNUSABLE: nothing can be started on the base oci:BASE:without-bash: it has no /bin/bash',
        '  why:  commands of a Procfile and scripts in .profile.d are run by bash',
        '  fix:  name a base that has bash with --base',
        '',
      ].join('\n'),
    );
    expect((await cli.run(['inspect', place])).stdout).toContain(digest);
  });

  it('REB-9 runs a command on the new base first, and moves nothing unless it ends with 0', async () => {
    const { place, digest } = await image();
    const rebase = ['rebase', place, '--base', cli.base('next'), '--sandbox', 'bwrap'];
    const traces = await cli.traces();
    for (const [command, why] of [
      ['echo no >&2; exit 7', 'it ended with status 7'],
      ['test -e /etc/not-there', 'it ended with status 1'],
      ['kill -9 $$', 'it ended with status 137|it was ended by SIGKILL'],
    ] as const) {
      const refused = await cli.run([...rebase, '--smoke', command]);
      expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 70, stdout: '' });
      expect(refused.stderr).toContain(
        `error REBASE_SMOKE_FAILED: nothing was written, since the smoke test on the new base failed: ${command}`,
      );
      expect(refused.stderr).toMatch(new RegExp(`\n {2}why: {2}(${why})\n`));
      expect((await cli.run(['inspect', place])).stdout).toContain(digest);
    }
    expect((await cli.traces()).temporary).toEqual(traces.temporary);
    const passed = await cli.run([...rebase, '--smoke', 'cat /etc/patched index.txt; id -u', '--json']);
    expect(passed.status).toBe(0);
    const events = passed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const printed = events.filter(({ step, type }) => type === 'output' && step === 'start').map(({ text }) => text);
    expect(printed.join('')).toBe('yes\nhello\n1000\n');
    expect(events.at(-1)).toMatchObject({ smoke: { command: 'cat /etc/patched index.txt; id -u', exit: 0 } });
    expect((await cli.run(['run', place])).stdout).toBe('hello\nyes\n');
  });

  it('asks for the base when only a local name is known', async () => {
    const { place } = await image();
    const { status, stderr } = await cli.run(['rebase', place]);
    expect(status).toBe(70);
    expect(stderr).toBe(
      [
        'error REBASE_NO_BASE_NAME: the new base must be named',
        "  why:  the image's base was called run, which is a local name and cannot be looked up",
        `  fix:  pack-build rebase ${place} --base REF, such as docker://HOST/REPOSITORY:TAG or oci:DIR:TAG`,
        '',
      ].join('\n'),
    );
  });

  it('moves an image that something else has made, from the base that is named', async () => {
    const own = await cli.directory({ 'theirs.txt': 'theirs\n' });
    const layout = `${own}-copy`;
    await promisify(execFile)('skopeo', ['copy', '--quiet', cli.base(), `oci:${layout}:theirs`]);
    await promisify(execFile)('umoci', [
      'insert',
      '--image',
      `${layout}:theirs`,
      `${own}/theirs.txt`,
      '/srv/theirs.txt',
    ]);
    const place = `oci:${layout}:theirs`;
    const wrong = await cli.run(['rebase', place, '--base', cli.base('next'), '--old-base', cli.base('build')]);
    expect(wrong.stderr).toMatch(/^error REBASE_SEAM_BROKEN: .*\n {2}why: {2}layer 2 of 2 of the base is /);
    const { status, stderr } = await cli.run(['rebase', place, '--base', cli.base('next'), '--old-base', cli.base()]);
    expect(status).toBe(0);
    expect(told(stderr)).toBe(
      [
        '-----> From run (N, A old) to next (N, A old)',
        '       layers: 0 out, 1 in (0.0 MB), 1 of the app stay',
        '       packages upgraded: 1',
        '         tiny 1-1 -> 1-2',
        '       Env FROM_NEXT_BASE: (none) -> 1 (new base)',
        '       Env PATH: /usr/local/bin:/usr/bin:/bin -> /opt/next/bin:/usr/local/bin:/usr/bin:/bin (new base)',
        '       Labels example.patch: (none) -> 2 (new base)',
        '       platform holds: both are linux/amd64',
        '       stack holds: the stack stays debian-12',
        '       distro holds: the distro stays debian 12',
        '       uid holds: the app runs as 1000:1000',
        '       needs unknown: nobody has written down what the app refers to: start it and see',
        '       downgrade holds: no package gets older',
        '',
      ].join('\n'),
    );
    const bundle = `${own}-bundle`;
    await promisify(execFile)('umoci', ['unpack', '--rootless', '--image', `${layout}:theirs`, bundle]);
    expect(await readFile(`${bundle}/rootfs/srv/theirs.txt`, 'utf8')).toBe('theirs\n');
    expect(await readFile(`${bundle}/rootfs/etc/patched`, 'utf8')).toBe('yes\n');
  });

  it('refuses an image that something else has made', async () => {
    const { status, stderr } = await cli.run(['rebase', cli.base(), '--base', cli.base('next')]);
    expect(status).toBe(70);
    expect(stderr).toBe(
      [
        'error REBASE_NOT_OURS: the image does not say what it was built on',
        '  why:  it has neither the label dev.pack-build.app of pack-build, nor that of CNB, nor annotations org.opencontainers.image.base.*',
        '  fix:  name the base that it was built on: --old-base REF',
        '',
      ].join('\n'),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';

const cli = useCli();

// What `base create` makes, the tests of the apps use: they build on it.
describe('pack-build base create', () => {
  it('knows its suites', async () => {
    const { status, stdout, stderr } = await cli.run(['base', 'create', 'debian-1', '--to', `oci:${cli.home()}/never`]);
    expect({ status, stdout }).toEqual({ status: 10, stdout: '' });
    expect(stderr).toMatch(/^error BASE_SUITE_UNKNOWN: .*debian-1\b/);
    expect(await cli.treeOf(`${cli.home()}/never`)).toEqual([]);
  });

  it('writes layouts without a tag only', async () => {
    const { status, stderr } = await cli.run(['base', 'create', 'debian-12', '--to', 'oci:dir:tag']);
    expect(status).toBe(2);
    expect(stderr).toBe(
      [
        'error PLACE_UNSUPPORTED: a base cannot be written to oci:dir:tag',
        '  why:  it is two images, which get the tags run and build in one layout',
        '  fix:  pack-build base create debian-12 --to oci:DIR',
        '',
      ].join('\n'),
    );
  });

  it('says which program it lacks', async () => {
    const path = await cli.directory();
    const failed = await cli.run(['base', 'create', 'debian-12', '--to', `oci:${cli.home()}/never`], {
      env: { PATH: path },
    });
    expect(failed).toMatchObject({ status: 80, stdout: '' });
    expect(failed.stderr).toBe(
      [
        '-----> Making a base of Debian 12 with security fixes',
        'error TOOL_MISSING: the program mmdebstrap is not installed',
        '  why:  there is no executable file of this name in any directory of PATH',
        '  fix:  apt-get install mmdebstrap',
        '',
      ].join('\n'),
    );
    expect((await cli.traces()).temporary).toEqual([]);
  });

  it('needs to be told where to', async () => {
    const { status, stderr } = await cli.run(['base', 'create', 'debian-12']);
    expect(status).toBe(2);
    expect(stderr).toBe(
      "error USAGE: required option '--to <place>' not specified\n  fix:  pack-build base create --help tells more\n",
    );
  });
});

describe('pack-build base outdated', () => {
  it('compares with a base that is named, and asks for the name of one that cannot be looked up', async () => {
    const app = await cli.directory({ Procfile: 'web: true\n' });
    const image = `oci:${app}-image:v1`;
    await cli.run(['build', app, '--base', cli.base(), '--to', image]);
    const same = await cli.run(['base', 'outdated', image, '--base', cli.base()]);
    expect(cli.plain(same.stdout)).toMatch(/^up to date: oci:BASE\S* is sha256:DIGEST\n$/);
    const { status, stdout } = await cli.run(['base', 'outdated', image, '--base', cli.base('next'), '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ type: 'result', isOutdated: true });
    const unnamed = await cli.run(['base', 'outdated', image]);
    expect(unnamed.status).toBe(70);
    expect(unnamed.stderr).toBe(
      [
        "error REBASE_NO_BASE_NAME: the base's name cannot be looked up",
        '  why:  the image says run, which is a local name',
        `  fix:  say where the base is: pack-build base outdated ${image} --base REF`,
        '',
      ].join('\n'),
    );
  });
});

describe('pack-build base resolve', () => {
  it('prints the reference that always means the same', async () => {
    const { status, stdout, stderr } = await cli.run(['base', 'resolve', cli.base()]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(cli.plain(stdout)).toBe('oci:BASE@sha256:DIGEST\n');
    expect((await cli.run(['base', 'resolve', stdout.trim()])).stdout).toBe(stdout);
  });

  it('--json has digest, platform, layers and labels', async () => {
    const { stdout } = await cli.run(['base', 'resolve', cli.base('build'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'result',
      reference: cli.base('build'),
      exact: expect.stringMatching(/^oci:.*@sha256:[0-9a-f]{64}$/),
      layers: 2,
      labels: { 'io.buildpacks.stack.id': 'debian-12' },
    });
  });

  it('refuses a base of another platform, and one at a place that cannot be read', async () => {
    const other = await cli.run(['base', 'resolve', cli.base('other-arch')]);
    expect(other.status).toBe(10);
    expect(other.stderr).toMatch(/^error BASE_PLATFORM: the base \S+ is for another platform\n/);
    const daemon = await cli.run(['base', 'resolve', 'docker-daemon:debian:12']);
    expect(daemon.status).toBe(2);
    expect(daemon.stderr).toBe(
      [
        'error PLACE_UNSUPPORTED: docker-daemon:debian:12: images cannot be read or written at `docker-daemon:` places',
        '  fix:  use oci:DIR, oci-archive:FILE, docker-archive:FILE or docker://REF',
        '',
      ].join('\n'),
    );
  });
});

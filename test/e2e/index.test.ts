import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { ARCHITECTURE, OTHER_ARCHITECTURE } from '../support/tiny-base.js';

const cli = useCli();
const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt /etc/patched\n' };
const PLATFORMS = [ARCHITECTURE, OTHER_ARCHITECTURE].map((architecture) => `linux/${architecture}`);

let registry: DockerRegistry;
beforeAll(async () => {
  registry = await startDockerRegistry();
});
afterAll(() => registry.close());

/** The command with the way to the registry, and what it said without digests and names of places. */
async function run(...args: readonly string[]) {
  const [command = '', ...rest] = args;
  const { stdout, stderr, status } = await cli.run([command, '--insecure-registry', registry.host, ...rest]);
  const told = (text: string) =>
    cli
      .plain(text)
      .replaceAll(/sha256:[0-9a-f]{12}\b/g, 'N')
      .replaceAll(registry.host, 'REGISTRY')
      .replaceAll(ARCHITECTURE, 'THIS')
      .replaceAll(OTHER_ARCHITECTURE, 'OTHER');
  return {
    status,
    stdout: told(stdout),
    stderr: told(stderr),
    digest: /sha256:[0-9a-f]{64}/.exec(stdout)?.[0],
    raw: stdout,
  };
}

async function skopeo(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('skopeo', args)).stdout;
}

async function rawIndex(reference: string) {
  return JSON.parse(await skopeo('inspect', '--tls-verify=false', '--raw', `docker://${reference}`));
}

/** An index of a base for two platforms, and one of an app on it. */
async function shop() {
  const [base, place] = [`${registry.host}/acme/base:run`, `${registry.host}/acme/shop:1`];
  const made = await run('index', cli.base(), cli.base('other-arch'), '--to', `docker://${base}`);
  const app = await cli.directory(APP);
  const images = PLATFORMS.map((platform) => `oci:${app}-images:${platform.replace('linux/', '')}`);
  for (const [at, platform] of PLATFORMS.entries()) {
    const built = await run('build', app, '--base', base, '--platform', platform, '--to', images[at] ?? '');
    expect(built.status).toBe(0);
  }
  return { base, place, images, made, baseDigest: made.digest };
}

const moveBase = (base: string) => run('index', cli.base('next'), cli.base('next-other-arch'), '--to', base, '--quiet');

describe('an index', () => {
  it('is made of images, moved to what its base has become, put back, and read by others', async () => {
    const { base, place, images, made, baseDigest } = await shop();
    expect(made).toMatchObject({
      status: 0,
      stdout: 'docker://REGISTRY/acme/base@sha256:DIGEST\n',
      stderr: '       linux/THIS N\n       linux/OTHER N\n',
    });
    const indexed = await run('index', ...images, '--to', `docker://${place}`, '--json');
    const result = JSON.parse(indexed.raw.trim().split('\n').at(-1) ?? '');
    expect(result).toMatchObject({ type: 'result', images: PLATFORMS.map((platform) => ({ platform })) });
    const first = await rawIndex(place);
    const inspected = await run('inspect', place);
    expect(inspected.raw).toContain(`index       ${result.digest} (this is its image for one platform)\n`);
    expect(first.annotations).toEqual({
      'org.opencontainers.image.base.name': base,
      'org.opencontainers.image.base.digest': baseDigest,
    });

    const next = await moveBase(base);
    const plan = await run('rebase', place, '--plan');
    expect(plan.stdout.match(/^-----> linux.*$/gm)).toEqual(['-----> linux/THIS', '-----> linux/OTHER']);
    expect((await rawIndex(place)).annotations).toEqual(first.annotations);
    const moved = await run('rebase', place);
    expect(moved).toMatchObject({ status: 0, stdout: 'docker://REGISTRY/acme/shop@sha256:DIGEST\n' });
    expect(moved.stderr).toBe(plan.stdout.replace(/^ {7}to docker.*\n/m, ''));
    expect(plan.stdout).toMatch(/^ {7}to docker:\/\/REGISTRY\/acme\/shop:1: .* 1 to mount, 0 to send\)$/m);
    const second = await rawIndex(place);
    expect(second.annotations['org.opencontainers.image.base.digest']).toBe(next.digest);
    expect(second.manifests.map(({ platform }: { platform: object }) => platform)).toEqual(
      first.manifests.map(({ platform }: { platform: object }) => platform),
    );
    expect((await run('run', place)).stdout).toBe('hello\nyes\n');

    const layout = `${await cli.directory()}/copy`;
    await skopeo('copy', '--all', '--src-tls-verify=false', `docker://${place}`, `oci:${layout}:1`);
    const again = await run('rebase', `oci:${layout}:1`, '--base', base, '--plan');
    expect(again.stdout.replace(/^ {7}to oci:.*\n/m, '')).toBe(
      PLATFORMS.map(
        (_, at) =>
          `-----> linux/${['THIS', 'OTHER'][at]}\n-----> The image stands on REGISTRY/acme/base:run (N) already\n`,
      ).join(''),
    );

    const undone = await run('rebase', place, '--undo');
    expect(undone).toMatchObject({ status: 0, stderr: '-----> Back from N to N\n', digest: result.digest });
    expect(await rawIndex(place)).toEqual(first);
    const nothing = await run('rebase', place, '--undo');
    expect(nothing).toMatchObject({ status: 70, stdout: '' });
    expect(nothing.stderr).toMatch(/^error REBASE_NO_PREVIOUS: there is nothing to undo: .*\n {2}why: {2}it is /);
    expect((await run('rebase', place)).digest).toBe(moved.digest);
  });

  it('is moved in a layout, in which skopeo and umoci find what was there before', async () => {
    const { base, images } = await shop();
    const directory = `${await cli.directory()}/all`;
    const made = await run('index', ...images, '--to', `oci:${directory}:1`, '--quiet');
    await moveBase(base);
    const moved = await run('rebase', `oci:${directory}:1`, '--base', base, '--quiet', '--json');
    const { previous, plans, plan } = JSON.parse(moved.raw.trim().split('\n').at(-1) ?? '');
    expect([previous, plan]).toEqual([made.digest, undefined]);
    expect(plans.map(({ platform }: { platform: string }) => platform)).toEqual(PLATFORMS);
    const { stdout: tags } = await promisify(execFile)('umoci', ['ls', '--layout', directory]);
    const [kept] = /pb-prev-[0-9a-f]{12}/.exec(tags) ?? [];
    const old = JSON.parse(await skopeo('inspect', '--raw', `oci:${directory}:${kept}`));
    await promisify(execFile)('umoci', ['gc', '--layout', directory]);
    expect((await run('rebase', `oci:${directory}:1`, '--undo')).digest).toBe(previous);
    expect(JSON.parse(await skopeo('inspect', '--raw', `oci:${directory}:1`))).toEqual(old);
  });

  it('is not made without a place, nor of two images for one platform', async () => {
    const nowhere = await run('index', cli.base());
    expect(nowhere).toMatchObject({ status: 2, stdout: '' });
    expect(nowhere.stderr).toBe(
      'error USAGE: it is not said where the index is to go\n  fix:  pack-build index oci:BASE:run --to docker://HOST/REPOSITORY:TAG\n',
    );
    const twice = await run('index', cli.base(), cli.base('next'), '--to', `oci:${await cli.directory()}/twice`);
    expect(twice).toMatchObject({ status: 50, stdout: '' });
    expect(twice.stderr).toBe(
      [
        'error INDEX_INVALID: two images for linux/THIS cannot be in one index',
        '  why:  they are sha256:DIGEST and sha256:DIGEST',
        '  fix:  name one image for each platform',
        '',
      ].join('\n'),
    );
  });

  it.each([['--old-base', 'x'], ['--sandbox', 'bwrap'], ['--trust-attached']])(
    'an undo takes no flag that says how to move: %s',
    async (flag, ...value) => {
      const refused = await run('rebase', 'oci:shop:1', '--undo', flag, ...value);
      expect(refused).toMatchObject({ status: 2, stdout: '' });
      expect(refused.stderr).toBe(
        [
          `error USAGE: ${flag} cannot be given with --undo`,
          '  why:  an undo puts back exactly what was there before',
          '  fix:  pack-build rebase --help tells more',
          '',
        ].join('\n'),
      );
    },
  );

  it('an undo takes the flags of every command', async () => {
    const none = await run('rebase', 'oci:shop:1', '--undo', '--plan', '--verbose', '--timings', '--ca-cert', 'x');
    expect(none.stderr).toContain('error IMAGE_NOT_FOUND: ');
  });
});

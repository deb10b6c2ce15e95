import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { crane, WITH_CRANE_MS } from '../support/crane.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { podman } from '../support/podman.js';
import type { Tag } from '../support/tiny-base.js';

const cli = useCli();
const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt /etc/patched\n' };

let registry: DockerRegistry;
beforeAll(async () => {
  registry = await startDockerRegistry();
  await crane('version');
}, WITH_CRANE_MS);
afterAll(() => registry.close());

const tool = async (name: string, ...args: readonly string[]) => (await promisify(execFile)(name, [...args])).stdout;

function run(...args: readonly string[]) {
  return cli.run([...args, '--insecure-registry', registry.host]);
}

/** Puts the tiny base under a tag of its own, and gives its reference. */
async function base(tag: Tag, as: string = tag): Promise<string> {
  const reference = `${registry.host}/acme/base:${as}`;
  await tool('skopeo', 'copy', '--quiet', '--dest-tls-verify=false', cli.base(tag), `docker://${reference}`);
  return reference;
}

/** An image of ours on this base, in the registry. */
async function shop(on: string, name: string, ...flags: readonly string[]): Promise<string> {
  const reference = `${registry.host}/acme/${name}:1`;
  const app = await cli.directory(APP);
  const built = await run('build', app, '--base', on, '--build-base', cli.base(), '--to', reference, ...flags);
  expect(built.stderr).toContain('Built');
  return reference;
}

const manifestOf = async (reference: string) => JSON.parse(await crane('manifest', reference));
const annotationsOf = async (reference: string) => (await manifestOf(reference)).annotations;

describe('an image of ours, for crane', () => {
  it('is valid in a registry, on any base that it was moved to, and in a docker-archive', async () => {
    const image = await shop(await base('run'), 'valid');
    await crane('validate', '--remote', image);
    expect(await run('rebase', image, '--base', await base('next'))).toMatchObject({ status: 0 });
    await crane('validate', '--remote', image);
    const archive = join(await cli.directory(), 'image.tar');
    const other = ['--base', await base('run'), '--allow-downgrade', '--to', `docker-archive:${archive}:acme/shop:1`];
    expect(await run('rebase', image, ...other)).toMatchObject({ status: 0 });
    await crane('validate', '--tarball', archive);
  });

  it.each(['zstd', 'zstd:19', 'gzip:9', 'none'])(
    'can be copied and run with layers of %s, also moved',
    async (kind) => {
      const image = await shop(await base('run'), `made-with-${kind.replace(':', '-')}`, '--compression', kind);
      expect(await run('rebase', image, '--base', await base('next'))).toMatchObject({ status: 0 });
      const copy = `${registry.host}/copies/${kind.replace(':', '-')}:1`;
      await crane('copy', image, copy);
      expect(await crane('digest', copy)).toBe(await crane('digest', image));
      const started = await cli.run(['run', copy, '--insecure-registry', registry.host, '--', 'echo', 'it runs']);
      expect(started).toMatchObject({ status: 0, stdout: 'it runs\n' });
    },
  );

  it('can be pulled and started by podman with layers of zstd', async () => {
    const app = await cli.directory({ ...APP, Procfile: 'web: cat index.txt\n' });
    const place = `oci-archive:${join(await cli.directory(), 'image.tar')}`;
    const built = await cli.run(['build', app, '--base', cli.base(), '--to', place, '--compression', 'zstd']);
    expect(built.status).toBe(0);
    const containers = await podman();
    try {
      const { child, status } = containers.start(await containers.pull(place), {});
      const [output] = await Promise.all([text(child.stdout as Readable), once(child, 'close')]);
      expect(output).toBe('hello\n');
      expect(await status()).toBe(0);
    } finally {
      await containers.remove();
    }
  });

  it('says which base it stands on, by the name and the digest of it', async () => {
    const on = await base('run');
    const image = await shop(on, 'annotated');
    const digest = (await crane('digest', on)).trim();
    expect(await annotationsOf(image)).toMatchObject({
      'org.opencontainers.image.base.name': on,
      'org.opencontainers.image.base.digest': digest,
    });
  });

  it('can be moved by crane, and then by us to what a build would have made', async () => {
    const [on, other] = [await base('run', 'moving'), await base('run', 'still')];
    const image = await shop(on, 'craned');
    const straight = await run('rebase', image, '--base', other, '--to', `${registry.host}/acme/craned:straight`);
    await base('next', 'moving');
    await crane('rebase', image, '--tag', image);
    const digest = (await crane('digest', on)).trim();
    expect(await annotationsOf(image)).toMatchObject({ 'org.opencontainers.image.base.digest': digest });
    expect((await run('base', 'outdated', image)).stdout).toBe(`up to date: ${on} is ${digest}\n`);
    const moved = await run('rebase', image, '--base', other, '--allow-downgrade');
    expect(moved.stderr).toContain(
      `warning: another tool has put the image on another base since it was built (${on} ${digest})`,
    );
    expect(moved.stdout).toBe(straight.stdout);
  });
});

describe('an image that says what is not so', () => {
  const refusals: readonly (readonly [string, readonly string[], string, string])[] = [
    [
      'a record of a schema that nobody knows',
      ['--label', 'dev.pack-build.app={"schema":7}'],
      'REBASE_RECORD_INVALID',
      'its record has schema 7',
    ],
    ['a record that was altered', ['--label', 'dev.pack-build.app={}'], 'REBASE_RECORD_INVALID', 'schema'],
    ['another user than the record', ['--user', '0'], 'REBASE_SEAM_BROKEN', 'the record says User "1000:1000"'],
    ['another variable than the record', ['--env', 'HOME=/root'], 'REBASE_SEAM_BROKEN', 'HOME'],
  ];
  it.each(refusals)('by %s is refused, and its tag stays', async (name, change, code, why) => {
    const image = await shop(await base('run'), `altered-${name.replaceAll(' ', '-')}`);
    await crane('mutate', image, ...change, '--tag', image);
    const digest = await crane('digest', image);
    const { status, stderr } = await run('rebase', image, '--base', await base('next'));
    expect(status).toBe(70);
    expect(stderr).toContain(`error ${code}: `);
    expect(stderr).toContain(why);
    expect(await crane('digest', image)).toBe(digest);
  });

  it('by annotations with the digest of another image is refused, and its tag stays', async () => {
    const [on, other] = [await base('run'), await base('build')];
    const image = `${registry.host}/acme/lying:1`;
    const files = await cli.directory({ 'srv/theirs.txt': 'theirs\n' });
    await tool('tar', '-C', files, '-cf', `${files}.tar`, 'srv');
    await crane('append', '--base', on, '-f', `${files}.tar`, '--new_tag', image);
    const lie = `org.opencontainers.image.base.digest=${(await crane('digest', other)).trim()}`;
    await crane('mutate', image, '-a', lie, '-a', `org.opencontainers.image.base.name=${other}`, '--tag', image);
    const digest = await crane('digest', image);
    const { status, stderr } = await run('rebase', image, '--base', await base('next'));
    expect(status).toBe(70);
    expect(stderr).toMatch(/^error REBASE_SEAM_BROKEN: .*\n {2}why: {2}layer 2 of 2 of the base is /m);
    expect(await crane('digest', image)).toBe(digest);
  });
});

describe('a base with a list of its files beside it', () => {
  it('is compared by that list, and no layer of it is read, for who trusts it', async () => {
    const image = await shop(await base('run'), 'listed');
    const next = await base('next', 'listed');
    const attached = await run('base', 'resolve', next, '--attach-files', '--json');
    expect(attached).toMatchObject({ status: 0 });
    expect(JSON.parse(attached.stdout.trimEnd().split('\n').at(-1) ?? '').attached).toMatch(/^sha256:/);
    const plan = async (...flags: readonly string[]) => {
      const cache = await cli.directory();
      const rebase = ['rebase', image, '--base', next, '--plan', '--json', '--cache-dir', cache, ...flags];
      const { stdout } = await run(...rebase);
      const { checks, packages } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').plan;
      return { checks, packages, files: await cli.treeOf(join(cache, 'v1/inventories')) };
    };
    const [trusting, reading] = [await plan('--trust-attached'), await plan()];
    expect({ ...trusting, files: [] }).toEqual({ ...reading, files: [] });
    // Of the old base alone, which nothing is attached to; and of both.
    expect([trusting.files.length, reading.files.length]).toEqual([1, 2]);
  });

  it('is no base in a layout', async () => {
    const { status, stderr } = await run('base', 'resolve', cli.base(), '--attach-files');
    expect(status).toBe(2);
    expect(stderr).toContain('error PLACE_UNSUPPORTED: nothing can be attached to oci:');
  });
});

describe('an image of others', () => {
  it('that crane has laid on a base is moved by what it wrote down of it', async () => {
    const on = await base('run');
    const image = `${registry.host}/acme/appended:1`;
    const files = await cli.directory({ 'srv/theirs.txt': 'theirs\n' });
    await tool('tar', '-C', files, '-cf', `${files}.tar`, 'srv');
    await crane('append', '--base', on, '-f', `${files}.tar`, '--set-base-image-annotations', '--new_tag', image);
    expect(await annotationsOf(image)).toMatchObject({ 'org.opencontainers.image.base.name': on });
    expect(await run('rebase', image, '--base', await base('next'))).toMatchObject({ status: 0 });
    await crane('validate', '--remote', image);
    expect(await annotationsOf(image)).toMatchObject({
      'org.opencontainers.image.base.name': `${registry.host}/acme/base:next`,
      'org.opencontainers.image.base.digest': (await crane('digest', `${registry.host}/acme/base:next`)).trim(),
    });
    await exported(image, { 'srv/theirs.txt': 'theirs\n', 'etc/patched': 'yes\n' });
  });

  it('is told to hide files of a patch, with --plan; a plan writes nothing', async () => {
    const image = `${registry.host}/acme/hiding:1`;
    const files = await cli.directory({ 'etc/patched': 'own\n', 'var/lib/dpkg/.wh.status': '' });
    await tool('tar', '-C', files, '-cf', `${files}.tar`, 'etc', 'var');
    await crane(
      'append',
      '--base',
      await base('run'),
      '-f',
      `${files}.tar`,
      '--set-base-image-annotations',
      '-t',
      image,
    );
    const before = await crane('digest', image);
    const next = ['--base', await base('next')];
    const { status, stdout } = await run('rebase', image, ...next, '--plan');
    expect(status).toBe(0);
    const lines = [
      'files that the app hides from this change: 2',
      '  /etc/patched (added in the base, replaced by the app)',
      '  /var/lib/dpkg/status (changed in the base, deleted by the app)',
    ];
    for (const line of lines) expect(stdout).toContain(`       ${line}\n`);
    expect(stdout).toContain(`       to docker://${image}: 0.0 MB to send (layers: 2 there, 1 to mount, 0 to send)\n`);
    const other = ['--plan', '--json', '--to', `${registry.host}/other/new:1`];
    const told = JSON.parse((await run('rebase', image, ...next, ...other)).stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(told.transfers).toEqual([
      {
        place: `docker://${registry.host}/other/new:1`,
        there: 0,
        bytes: expect.any(Number),
        lacks: Array.from({ length: 3 }, () => expect.objectContaining({ way: 'mounted' })),
      },
    ]);
    expect(await crane('digest', image)).toBe(before);
    await expect(crane('manifest', `${registry.host}/other/new:1`)).rejects.toThrow();
  });

  it('that buildah has built is moved by what it wrote down of its base', async () => {
    const on = await base('run');
    const image = `${registry.host}/acme/buildah:1`;
    await buildahOn(on, image, { 'theirs.txt': 'theirs\n' });
    expect(await annotationsOf(image)).toMatchObject({ 'org.opencontainers.image.base.name': on });
    const moved = await run('rebase', image, '--base', await base('next'));
    expect(moved).toMatchObject({ status: 0 });
    expect(moved.stderr).toContain('1 of the app stay');
    await crane('validate', '--remote', image);
    await exported(image, { 'srv/theirs.txt': 'theirs\n', 'etc/patched': 'yes\n' });
  });
});

/** Expects files in an image as a container would see them. */
async function exported(image: string, files: Readonly<Record<string, string>>): Promise<void> {
  const directory = await cli.directory();
  await crane('export', image, `${directory}.tar`);
  for (const [path, text] of Object.entries(files))
    expect(await tool('tar', '-xOf', `${directory}.tar`, path)).toBe(text);
}

/** Has buildah add files to a base below /srv and push the image; none of its own settings or images are used. */
async function buildahOn(on: string, image: string, files: Readonly<Record<string, string>>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'pack-build-buildah-'));
  const own = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const buildah = async (...args: readonly string[]) => (await tool('buildah', ...own, ...args)).trim();
  try {
    const container = await buildah('from', '--quiet', '--tls-verify=false', `docker://${on}`);
    const added = await cli.directory(files);
    await buildah('add', '--quiet', container, added, '/srv');
    await buildah('commit', '--quiet', '--tls-verify=false', container, `docker://${image}`);
  } finally {
    await buildah('rm', '--all').catch(() => undefined);
    await rm(home, { recursive: true, force: true });
  }
}

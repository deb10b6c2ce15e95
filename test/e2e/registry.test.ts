import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CliOptions, useCli } from '../support/command-line.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { freePort } from '../support/http.js';
import { ARCHITECTURE, type Tag } from '../support/tiny-base.js';

const cli = useCli();
const CANARY = 'canary-7c3e9';
const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt /etc/patched\n' };

let registry: DockerRegistry;
let flags: readonly string[];
beforeAll(async () => {
  registry = await startDockerRegistry({ user: { name: 'me', password: CANARY } });
  const auth = Buffer.from(`me:${CANARY}`).toString('base64');
  const files = await cli.directory({ 'auth.json': JSON.stringify({ auths: { [registry.host]: { auth } } }) });
  flags = ['--insecure-registry', registry.host, '--authfile', join(files, 'auth.json')];
});
afterAll(() => registry.close());

/** The command with the way to the registry, and nothing of a secret in what it says. */
async function run(args: readonly string[], options?: CliOptions) {
  const [command = '', ...rest] = args;
  const ran = await cli.run([command, ...flags, ...rest], options);
  for (const secret of [CANARY, Buffer.from(`me:${CANARY}`).toString('base64')])
    expect(ran.stdout + ran.stderr).not.toContain(secret);
  return ran;
}

/** Puts an image of the tiny base under a tag of the registry. */
async function pushBase(tag: Tag, reference: string): Promise<void> {
  const own = ['--dest-tls-verify=false', '--authfile', flags[3] ?? ''];
  await promisify(execFile)('skopeo', ['copy', ...own, cli.base(tag), `docker://${registry.host}/${reference}`]);
}

const digestIn = (text: string) => /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? '';

describe('an image in a registry', () => {
  it('is built on a base there, started, looked at, and moved to what the base has become', async () => {
    const [base, shop] = [`${registry.host}/acme/base:run`, `${registry.host}/acme/shop:1`];
    await pushBase('run', 'acme/base:run');
    const app = await cli.directory(APP);
    const built = await run(['build', app, '--base', base, '--to', `docker://${shop}`]);
    expect(built).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^docker:\/\/\S+\/acme\/shop@sha256:\S+\n$/),
    });
    expect(built.stderr).not.toContain('warning');

    const lock = JSON.parse(await readFile(join(app, 'pack-build.lock'), 'utf8'));
    expect(lock.bases).toEqual({ [base]: expect.stringMatching(/^sha256:/) });
    const inspected = await run(['inspect', shop]);
    expect(inspected.stdout).toContain(digestIn(built.stdout));
    expect(inspected.stdout).toContain(`base        ${base} ${lock.bases[base]}`);
    expect((await run(['run', shop, '--', 'cat', 'index.txt'])).stdout).toBe('hello\n');

    const asked = await cli.run(['base', 'outdated', shop, ...flags]);
    expect(asked).toMatchObject({ status: 0, stdout: `up to date: ${base} is ${lock.bases[base]}\n` });

    await pushBase('next', 'acme/base:run');
    const outdated = await cli.run(['base', 'outdated', shop, ...flags]);
    const words = `outdated: ${base} is sha256:\\S+ now, the image stands on ${lock.bases[base]}\n`;
    expect(outdated).toMatchObject({ status: 0, stdout: expect.stringMatching(new RegExp(words)) });
    const again = await run(['build', app, '--base', base, '--to', `docker://${shop}`, '--frozen']);
    expect(digestIn(again.stdout)).toBe(digestIn(built.stdout));
    expect(again.stderr).toContain('the lock keeps');

    const moved = await run(['rebase', shop]);
    expect(moved).toMatchObject({ status: 0, stdout: expect.stringMatching(/^docker:\/\//) });
    expect(moved.stderr).not.toContain('warning');
    expect((await run(['run', `docker://${shop}`])).stdout).toBe('hello\nyes\n');

    const resolved = await run(['inspect', base]);
    expect(moved.stderr).toContain(digestIn(resolved.stdout).slice(0, 19));
  });

  it('has a reference that always means the same', async () => {
    await pushBase('run', 'acme/base:exact');
    const base = `${registry.host}/acme/base:exact`;
    const { stdout } = await cli.run(['base', 'resolve', base, ...flags]);
    expect(stdout).toMatch(/^docker:\/\/\S+\/acme\/base:exact@sha256:[0-9a-f]{64}\n$/);
    await pushBase('next', 'acme/base:exact');
    expect((await run(['inspect', stdout.trim()])).stdout).toContain(digestIn(stdout));
  });

  it('for several platforms is not replaced by an image for one', async () => {
    const app = await cli.directory(APP);
    const shop = `${registry.host}/acme/index`;
    await run(['build', app, '--base', cli.base(), '--to', `${shop}:one`]);
    const authorization = `Basic ${Buffer.from(`me:${CANARY}`).toString('base64')}`;
    const url = (tag: string) => `http://${registry.host}/v2/acme/index/manifests/${tag}`;
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const one = await (await fetch(url('one'), { headers: { authorization, accept } })).text();
    const digest = `sha256:${createHash('sha256').update(one).digest('hex')}`;
    const type = 'application/vnd.oci.image.index.v1+json';
    const entry = {
      mediaType: accept,
      digest,
      size: one.length,
      platform: { os: 'linux', architecture: ARCHITECTURE },
    };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [entry] });
    await fetch(url('all'), { method: 'PUT', headers: { authorization, 'content-type': type }, body });
    const all = ['rebase', `${shop}:all`, '--base', cli.base('next')];
    const rebase = [...all, '--platform', `linux/${ARCHITECTURE}`];
    const refused = await run(rebase);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('which one image cannot replace');
    expect((await run([...rebase, '--plan'])).status).toBe(0);
    expect((await run([...rebase, '--to', `${shop}:moved`])).status).toBe(0);
    expect((await run(['run', `${shop}:moved`])).stdout).toBe('hello\nyes\n');
    expect((await run(['run', `${shop}:all`])).stdout).toBe('hello\n');
    expect((await run(all)).status).toBe(0);
    expect((await run(['run', `${shop}:all`])).stdout).toBe('hello\nyes\n');
  });

  it('is read from a mirror, and keeps the name of its registry', async () => {
    await pushBase('run', 'library/tiny:1');
    const { status, stdout } = await run([
      'inspect',
      'tiny:1',
      '--json',
      '--registry-mirror',
      `docker.io=${registry.host}`,
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'result', name: 'docker.io/library/tiny:1' });
  });

  it('goes to several places', async () => {
    const app = await cli.directory(APP);
    const layout = `oci:${app}-image:v1`;
    const built = await run([
      'build',
      app,
      '--base',
      cli.base(),
      '--to',
      layout,
      '--to',
      `${registry.host}/acme/both:1`,
    ]);
    const [first, second] = built.stdout.trim().split('\n');
    expect(digestIn(first ?? '')).toBe(digestIn(second ?? ''));
  });

  it('is not built when it cannot be pushed: REG-20 without credentials, and without a secret', async () => {
    const app = await cli.directory(APP);
    const shop = `${registry.host}/acme/shop:1`;
    const refused = await cli.run([
      'build',
      app,
      '--base',
      cli.base(),
      '--to',
      shop,
      '--insecure-registry',
      registry.host,
    ]);
    expect(refused).toMatchObject({ status: 60, stdout: '' });
    expect(refused.stderr.replaceAll(registry.host, 'HOST')).toBe(
      [
        'error REGISTRY_UNAUTHORIZED: HOST does not let us push acme/shop',
        '  why:  401 on GET HOST/v2/acme/shop/manifests/1: UNAUTHORIZED: authentication required',
        '        there are no credentials for HOST',
        '  fix:  docker login HOST, or podman login HOST',
        '',
      ].join('\n'),
    );
  });

  it('is told of as data too, without a secret', async () => {
    const { status, stdout } = await run(['inspect', `${registry.host}/acme/none:1`, '--json', '--verbose']);
    expect(status).toBe(50);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'error', code: 'IMAGE_NOT_FOUND' });
  });

  it('of plain HTTP is not asked unless that is said', async () => {
    const { status, stderr } = await cli.run(['inspect', `${registry.host}/acme/shop:1`]);
    expect(status).toBe(60);
    expect(stderr).toContain(
      `fix:  if ${registry.host} speaks plain HTTP, say so: --insecure-registry ${registry.host}`,
    );
  });

  it('where nobody listens is an error of the registry', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const { status, stderr } = await cli.run(['base', 'resolve', `${host}/a/b`, '--insecure-registry', host]);
    expect(status).toBe(60);
    expect(stderr).toContain(`error REGISTRY_UNREACHABLE: the connection to ${host} failed`);
  });

  it.each([
    [['--insecure-registry', 'http://a.example'], '--insecure-registry "http://a.example" does not name a host'],
    [['--trust-host', '*'], '--trust-host "*" does not name a host'],
    [['--registry-mirror', 'docker.io'], '--registry-mirror "" does not name a host'],
  ])('is not asked for with %j', async (wrong, what) => {
    const { status, stderr } = await cli.run(['inspect', 'a/b', ...wrong]);
    expect(status).toBe(2);
    expect(stderr).toContain(`error USAGE: ${what}`);
  });
});

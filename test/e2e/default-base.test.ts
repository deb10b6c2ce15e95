import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recipeKey } from '../../src/base/recipe.js';
import { suiteNamed } from '../../src/base/suites.js';
import { useCli } from '../support/command-line.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';

const cli = useCli();
const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt\n' };

let registry: DockerRegistry;
beforeAll(async () => {
  registry = await startDockerRegistry();
  for (const tag of ['24', '24-build']) await skopeo(cli.base(), `docker://${registry.host}/heroku/heroku:${tag}`);
});
afterAll(() => registry.close());

async function skopeo(from: string, to: string): Promise<void> {
  await promisify(execFile)('skopeo', ['copy', '--dest-tls-verify=false', from, to]);
}

const toHub = () => ['--registry-mirror', `docker.io=${registry.host}`, '--insecure-registry', registry.host];

/** Builds with nothing said about bases, but for where Docker Hub's images are. Docker Hub itself is out of reach. */
async function build(
  app: string,
  more: readonly string[] = [],
  hub = toHub(),
  env: Readonly<Record<string, string>> = {},
) {
  const run = await cli.run(['build', app, '--to', `oci:${app}-image`, ...hub, ...more], {
    env: { PACK_BUILD_DEFAULT_BASE: '', https_proxy: 'http://127.0.0.1:1', ...env },
  });
  return { ...run, stderr: cli.plain(run.stderr) };
}

const lockOf = async (app: string) => JSON.parse(await readFile(join(app, 'pack-build.lock'), 'utf8')).bases;

describe('pack-build build without a base', () => {
  it("uses Heroku's where their registry answers, says so, and keeps the choice without a network", async () => {
    const app = await cli.directory(APP);
    const first = await build(app);
    expect(first.stderr).toContain(
      [
        '-----> No base was named: using heroku/heroku:24, and heroku/heroku:24-build to build on',
        '       docker.io has them; pack-build.lock keeps the choice',
        '',
      ].join('\n'),
    );
    expect(first.status).toBe(0);
    expect(Object.keys(await lockOf(app))).toEqual(['heroku/heroku:24', 'heroku/heroku:24-build']);
    const inspected = await cli.run(['inspect', `oci:${app}-image`]);
    expect(inspected.stdout).toContain('base        docker.io/heroku/heroku:24 sha256:');

    // Nobody answers any more, and another default is set here: the lock decides.
    const again = await build(app, ['--frozen'], [], { PACK_BUILD_DEFAULT_BASE: 'debian-12' });
    expect(again).toMatchObject({ status: 0, stdout: first.stdout });
    expect(again.stderr).toContain('       pack-build.lock says so\n');
  });

  it('FLT-8 fetches a layer again that was damaged in the cache', async () => {
    const app = await cli.directory(APP);
    const first = await build(app);
    const image = JSON.parse((await cli.run(['inspect', `oci:${app}-image`, '--json'])).stdout.trim());
    const [layer] = image.layers;
    const file = join(cli.cacheDir(), 'v1/blobs/sha256', layer.digest.slice('sha256:'.length));
    await chmod(file, 0o644);
    await truncate(file, 100);
    await rm(`${app}-image`, { recursive: true });
    const again = await build(app);
    expect([again.status, again.stdout]).toEqual([0, first.stdout]);
    expect(again.stderr).toContain('warning: the layer sha256:DIGEST in the cache is damaged: it is fetched again\n');
  });

  it('uses the Debian of the cache where nobody answers, says why, and stays with it', async () => {
    const key = recipeKey({ suite: suiteNamed('debian-12'), security: true, include: [] });
    const bases = join(cli.cacheDir(), 'v1/bases');
    await mkdir(bases, { recursive: true });
    for (const tag of ['run', 'build']) await skopeo(cli.base(), `oci:${bases}/debian-12-${key}:${tag}`);
    const app = await cli.directory(APP);
    const nobody = ['--registry-mirror', 'docker.io=127.0.0.1:1'];
    const first = await build(app, [], nobody);
    expect(first.stderr).toContain(
      [
        '-----> No base was named: using the debian-12 of the cache',
        '       heroku/heroku:24 is not to be had: the connection to registry-1.docker.io failed: connect ECONNREFUSED 127.0.0.1:1',
        '',
      ].join('\n'),
    );
    expect([first.status, Object.keys(await lockOf(app))]).toEqual([0, ['debian-12:build', 'debian-12:run']]);
    const again = await build(app);
    expect([again.status, again.stdout]).toEqual([0, first.stdout]);
    expect(again.stderr).toContain('using the debian-12 of the cache\n       pack-build.lock says so\n');
  });

  it('takes what PACK_BUILD_DEFAULT_BASE says, and nothing else than the two', async () => {
    const app = await cli.directory(APP);
    const asked = await build(app, [], toHub(), { PACK_BUILD_DEFAULT_BASE: 'debian-12' });
    expect(asked.stderr).toContain('using the debian-12 of the cache\n       it is the default here\n');
    const wrong = await build(app, [], toHub(), { PACK_BUILD_DEFAULT_BASE: 'alpine' });
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      'error USAGE: PACK_BUILD_DEFAULT_BASE is "alpine"\n  why:  it must be one of heroku-24, debian-12\n',
    ]);
  });

  it('asks nobody with --frozen, and refuses to choose', async () => {
    const app = await cli.directory(APP);
    expect(await build(app, ['--frozen'])).toMatchObject({
      status: 2,
      stderr: [
        'error LOCK_FROZEN: the lock would change: no base was named, and pack-build.lock has none',
        '  why:  --frozen builds only from what the lock names',
        '  fix:  build once without --frozen and keep pack-build.lock, or name a base by its digest',
        '',
      ].join('\n'),
    });
  });
});

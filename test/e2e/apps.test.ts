import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { ask, freePort } from '../support/http.js';
import { type Podman, podman } from '../support/podman.js';

const cli = useCli();

/** What is made once and found again: packages, what the buildpacks have downloaded, and the bases, until they are made in another way. */
const KEPT = join(process.cwd(), '.pack-build/test');
const CACHE = ['--cache-dir', join(KEPT, 'cache')];
const BASES = join(KEPT, `bases-${await fingerprint('src/base')}`);
const OLD = `oci:${join(BASES, 'without-fixes')}`;
const PATCHED = `oci:${join(BASES, 'with-fixes')}`;

let containers: Podman;

beforeAll(async () => {
  containers = await podman();
  for (const name of await readdir(KEPT).catch(() => [])) {
    if (name.startsWith('bases-') && join(KEPT, name) !== BASES) await rm(join(KEPT, name), { recursive: true });
  }
  await createBase(OLD, ['--security', 'off']);
  await createBase(PATCHED, ['--security', 'on', '--only', 'run']);
}, 1_200_000);
afterAll(async () => containers.remove(), 60_000);

// gunicorn ends in good order with 0 when it is told to; a container's status is that of its app.
const APPS = [
  { app: 'express', buildpack: 'nodejs', page: 'Hello from the express app', stopped: 143 },
  { app: 'flask', buildpack: 'python', page: 'Hello from the flask app', stopped: 0 },
  { app: 'chi', buildpack: 'go', page: 'Hello from the chi app', stopped: 143 },
  { app: 'static-procfile', buildpack: 'procfile', page: 'Hello from the static app', stopped: 143 },
];

describe.each(APPS)('the app $app', ({ app, buildpack, page, stopped }) => {
  let source = '';
  let places: readonly string[] = [];

  const build = async (base: string, to: readonly string[], ...flags: readonly string[]) =>
    cli.run(
      ['build', source, '--base', base, '--build-base', `${OLD}:build`, ...CACHE, ...(await settings())]
        .concat(to.flatMap((place) => ['--to', place]))
        .concat(flags),
      { env: certificates() },
    );

  it('is built by the bundled buildpack that applies', async () => {
    source = join(await cli.directory(), app);
    await cp(join('fixtures/apps', app), source, { recursive: true });
    const out = await cli.directory();
    places = [`oci:${out}/layout:${app}`, `oci-archive:${out}/oci.tar`, `docker-archive:${out}/docker.tar:${app}:v1`];
    const built = await build(`${OLD}:run`, places, '--clear-cache');
    expect(`${built.status}\n${built.status === 0 ? '' : built.stderr}`).toBe('0\n');
    expect(built.stdout.trim().split('\n')).toHaveLength(3);
    const { stdout } = await cli.run(['inspect', places[0] ?? '', '--json']);
    expect(JSON.parse(stdout).app.buildpacks).toMatchObject([{ id: buildpack }]);
  }, 600_000);

  it('answers over HTTP when it is started, and stops when it is told to', async () => {
    expect(await startAndAsk(places[0] ?? '')).toEqual({ page: expect.stringContaining(page), status: stopped });
  }, 120_000);

  it('gives the same image with a warm cache', async () => {
    const again = await build(`${OLD}:run`, [places[0] ?? '']);
    expect(again.stdout.trim().split('@')[1]).toBe(await digestOf(places[0] ?? ''));
  }, 300_000);

  it.each([1, 2])(
    'answers when podman starts it from archive %i',
    async (which) => {
      const image = await containers.pull(places[which]?.replace(/(docker-archive:[^:]*):.*/, '$1') ?? '');
      const port = await freePort();
      const { child, status } = containers.start(image, { PORT: `${port}` });
      const output: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk));
      const closed = once(child, 'close');
      const over = () => (child.exitCode === null ? undefined : Buffer.concat(output).toString());
      try {
        expect(await ask(port, over)).toContain(page);
      } finally {
        child.kill('SIGTERM');
      }
      await closed;
      expect(await status()).toBe(stopped);
    },
    300_000,
  );

  it('answers on a patched base, where it is moved without a build, as if it had been built for it', async () => {
    const moved = await cli.run(['rebase', places[0] ?? '', '--base', `${PATCHED}:run`, ...CACHE]);
    expect(`${moved.status}\n${moved.status === 0 ? '' : moved.stderr}`).toBe('0\n');
    const built = await build(`${PATCHED}:run`, [`oci:${await cli.directory()}/built:v1`]);
    expect(moved.stdout.trim().split('@')[1]).toBe(built.stdout.trim().split('@')[1]);
    expect(await startAndAsk(places[0] ?? '')).toEqual({ page: expect.stringContaining(page), status: stopped });
  }, 300_000);
});

async function fingerprint(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(directory)).sort()) hash.update(await readFile(join(directory, name)));
  return hash.digest('hex').slice(0, 12);
}

/** Unless an earlier run has made it. */
async function createBase(place: string, flags: readonly string[]): Promise<void> {
  const directory = place.slice('oci:'.length);
  if (
    await access(join(directory, 'index.json')).then(
      () => true,
      () => false,
    )
  )
    return;
  await rm(directory, { recursive: true, force: true });
  const made = await cli.run(['base', 'create', 'debian-12', '--to', place, ...CACHE, ...flags]);
  if (made.status !== 0) throw new Error(`the base could not be made:\n${made.stderr.slice(-3000)}`);
}

async function startAndAsk(place: string): Promise<{ readonly page: string; readonly status: number }> {
  const port = await freePort();
  const started = cli.start(['run', place, '--port', `${port}`, ...CACHE]);
  const over = () => (started.child.exitCode === null ? undefined : started.stderr());
  const page = await ask(port, over).finally(() => started.child.kill('SIGTERM'));
  return { page, status: (await started.ended).status };
}

async function digestOf(place: string): Promise<string> {
  return JSON.parse((await cli.run(['inspect', place, '--json'])).stdout).digest;
}

/** The names under which this machine's programs find a certificate authority of its own. */
function certificates(): Readonly<Record<string, string>> {
  const known = Object.entries(process.env).filter(([name]) =>
    /SSL_CERT|CA_CERTS|CA_BUNDLE|PIP_CERT|CAINFO/.test(name),
  );
  return Object.fromEntries(known.map(([name, value]) => [name, value ?? '']));
}

/** What the sandbox must be told of this machine: the registries that its tools use, and proxies. */
async function settings(): Promise<readonly string[]> {
  const asked = {
    NPM_CONFIG_REGISTRY: await tell('npm', 'config', 'get', 'registry'),
    PIP_INDEX_URL: process.env['PIP_INDEX_URL'] ?? (await tell('pip3', 'config', 'get', 'global.index-url')),
    GOPROXY: process.env['GOPROXY'] ?? (await tell('go', 'env', 'GOPROXY')),
    GOSUMDB: process.env['GOSUMDB'] ?? (await tell('go', 'env', 'GOSUMDB')),
  };
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const all = { ...asked, ...Object.fromEntries(proxies.map((name) => [name, process.env[name] ?? ''])) };
  return Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : ['--build-env', `${name}=${value}`]));
}

async function tell(program: string, ...args: readonly string[]): Promise<string> {
  const found = await promisify(execFile)(program, [...args]).catch(() => ({ stdout: '' }));
  return found.stdout.trim();
}

// Builds the Express app, starts it, asks it for its page; then moves it to a patched base and asks again.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { recipeKey } from '../dist/base/recipe.js';
import { suiteNamed } from '../dist/base/suites.js';

const root = join(import.meta.dirname, '..');
const work = join(root, '.pack-build/quickstart');
const cli = join(root, 'dist/cli/main.js');
const image = `oci:${join(work, 'image')}:express`;
// Bases are kept for the next time, until they are made in another way.
const bases = join(work, `bases-${recipeKey({ suite: suiteNamed('debian-12'), security: true, include: [] })}`);
const old = `oci:${join(bases, 'without-fixes')}`;
const patched = `oci:${join(bases, 'with-fixes')}`;
const took = [];

try {
  removeOutdated();
  await step('base without security fixes', () => createBase(old, ['--security', 'off']));
  await step('base with security fixes', () => createBase(patched, ['--security', 'on', '--only', 'run']));
  await step('build', () =>
    packBuild('build', copyOfApp(), ...baseFlags(), ...buildSettings(), '--to', image, '--timings'),
  );
  await step('start and ask', () => startAndAsk());
  await step('rebase', () => packBuild('rebase', image, '--base', `${patched}:run`));
  await step('start and ask again', () => startAndAsk());
} catch (error) {
  console.error(`\nquickstart: ${error.message}`);
  process.exit(1);
}
const width = Math.max(...took.map(([name]) => name.length));
console.log(
  `\n${took.map(([name, ms]) => `${name.padEnd(width)}  ${(ms / 1000).toFixed(1).padStart(6)} s`).join('\n')}`,
);
console.log(
  `\nThe image is ${image}; start it yourself with:\n  node dist/cli/main.js run ${image} --cache-dir ${cacheDir()}`,
);

async function step(name, work) {
  console.log(`\n=== ${name}`);
  const begun = performance.now();
  await work();
  took.push([name, performance.now() - begun]);
}

function cacheDir() {
  return join(work, 'cache');
}

function removeOutdated() {
  const names = existsSync(work) ? readdirSync(work) : [];
  const outdated = names.filter((name) => /^bases?-/.test(name) && join(work, name) !== bases);
  for (const name of outdated) rmSync(join(work, name), { recursive: true });
}

function createBase(place, flags) {
  if (existsSync(join(place.slice('oci:'.length), 'index.json'))) return console.log(`${place} is there`);
  packBuild('base', 'create', 'debian-12', '--to', place, '--quiet', ...flags);
}

/** A build writes pack-build.lock beside the source. */
function copyOfApp() {
  const app = join(work, 'app');
  cpSync(join(root, 'fixtures/apps/express'), app, { recursive: true });
  return app;
}

function baseFlags() {
  return ['--base', `${old}:run`, '--build-base', `${old}:build`];
}

/** What the sandbox must be told of this machine: the registry that npm uses here, and proxies. */
function buildSettings() {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .filter((name) => process.env[name]);
  return [`NPM_CONFIG_REGISTRY=${registry}`, ...proxies.map((name) => `${name}=${process.env[name]}`)].flatMap(
    (value) => ['--build-env', value],
  );
}

function packBuild(...args) {
  execFileSync(process.execPath, [cli, ...args, '--cache-dir', cacheDir()], { cwd: root, stdio: 'inherit' });
}

async function startAndAsk() {
  const port = await freePort();
  const app = spawn(process.execPath, [cli, 'run', '--port', String(port), '--cache-dir', cacheDir(), image], {
    cwd: root,
    stdio: 'inherit',
  });
  const ended = new Promise((resolve) => app.once('exit', (code, signal) => resolve(signal ?? code)));
  try {
    const page = await ask(`http://127.0.0.1:${port}/`, ended);
    console.log(`--- http://127.0.0.1:${port}/\n${page.trim()}\n---`);
  } finally {
    app.kill('SIGTERM');
    await ended;
  }
}

async function ask(url, ended) {
  let over = false;
  ended.then(() => {
    over = true;
  });
  for (const until = performance.now() + 60_000; performance.now() < until && !over; ) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return await response.text();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(over ? 'the app ended before it answered' : `nothing answered at ${url} for a minute`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

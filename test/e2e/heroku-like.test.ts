import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack, type Files, fixture, writeFiles } from '../support/product.js';

const cli = useCli();

/** Builds with buildpacks by directory, as one that was written for Heroku is tried. */
async function build(app: string, buildpacks: readonly string[], ...flags: readonly string[]) {
  const place = `oci:${app}-image:v1`;
  const refs = buildpacks.flatMap((directory) => ['--buildpack', directory]);
  const built = await cli.run([
    'build',
    app,
    '--base',
    cli.base(),
    '--stack',
    'heroku-24',
    '--to',
    place,
    ...refs,
    ...flags,
  ]);
  expect(`${built.status}\n${built.status === 0 ? '' : built.stderr}`).toBe('0\n');
  const digest = built.stdout.trim().split('@')[1];
  return {
    ...built,
    place,
    digest,
    run: (...args: readonly string[]) => cli.run(['run', '--port', '5000', place, ...args]),
  };
}

const app = (files: Files) => cli.directory(files);

describe('a buildpack that makes a part of the source the app', () => {
  const files = { 'apps/shop/Procfile': 'web: cat index.txt\n', 'apps/shop/index.txt': 'shop\n', 'apps/blog/x': '' };

  it('may move the tree through its cache and put another in the place of BUILD_DIR', async () => {
    const built = await build(await app(files), [fixture('idiom-subdir')], '--env', 'PROJECT_PATH=apps/shop');
    expect(built.stderr).toContain('-----> Subdir buildpack in apps/shop\n');
    expect((await built.run()).stdout).toBe('shop\n');
    expect((await built.run('--', 'ls -A; ls -ld /app | cut -c1-10')).stdout).toBe('Procfile\nindex.txt\ndrwxr-xr-x\n');
  });

  it('hands over to the next buildpack', async () => {
    const built = await build(
      await app(files),
      [fixture('idiom-subdir'), join(process.cwd(), 'buildpacks/procfile')],
      '--env',
      'PROJECT_PATH=apps/shop',
    );
    expect(built.stderr).toContain('-----> Procfile app detected\n');
    expect((await built.run()).stdout).toBe('shop\n');
  });
});

describe('a buildpack that brings programs', () => {
  it('makes them found by later buildpacks and by the app', async () => {
    const uses = await cli.directory(buildpack({ compile: 'greet "the build"' }));
    const source = await app({ Aptfile: '# tools\ngreeter\n', Procfile: 'web: greet "the app"\n' });
    const first = await build(source, [fixture('idiom-apt'), uses]);
    expect(first.stderr).toContain('       Installing greeter\n');
    expect(first.stderr).toContain('\ngreetings to the build\n');
    expect((await first.run()).stdout).toBe('greetings to the app\n');
    expect((await first.run('--', 'echo $LD_LIBRARY_PATH')).stdout).toBe('/app/.apt/usr/lib:\n');
    const again = await build(source, [fixture('idiom-apt'), uses]);
    expect(again.stderr).toContain('-----> Reusing cache\n');
    expect(again.digest).toBe(first.digest);
  });
});

describe('a buildpack that copies from the directory that it is run in', () => {
  it('finds its files there, and its release starts the app', async () => {
    const built = await build(await app({ 'index.html': 'hello\n' }), [fixture('idiom-nginx')]);
    expect(built.stderr).toContain('-----> nginx-buildpack: Installed the start script for stack heroku-24\n');
    expect(built.stderr).toContain('nginx-buildpack');
    expect((await built.run()).stdout).toBe('listen 5000;\n');
  });

  it('leaves alone what the app brings itself', async () => {
    const built = await build(await app({ 'config/server.conf': 'own PORT\n' }), [fixture('idiom-nginx')]);
    expect((await built.run()).stdout).toBe('own 5000\n');
  });
});

describe('a buildpack that runs others', () => {
  it('detects, compiles and releases them, each with the exports of those before it', async () => {
    const source = await app({
      '.buildpacks': 'packs/idiom-apt\npacks/greets\npacks/idiom-nginx\n',
      Aptfile: 'greeter\n',
    });
    for (const name of ['idiom-apt', 'idiom-nginx'])
      await cp(fixture(name), join(source, 'packs', name), { recursive: true });
    // It copies from where it is run, which is not its own directory when another buildpack runs it.
    await writeFiles(join(source, 'packs/idiom-nginx'), {
      'bin/compile': {
        text: '#!/bin/sh\ncd "$(dirname "$0")/.." && mkdir -p "$1/bin" "$1/config" && cp bin/start-server "$1/bin" && cp config/server.conf "$1/config"\n',
        mode: 0o755,
      },
    });
    await writeFiles(join(source, 'packs/greets'), buildpack({ compile: 'greet multi' }));
    const built = await build(source, [fixture('idiom-multi')]);
    expect(built.stderr).toContain(
      '=====> Detected Framework: Apt\n       -----> Detected Aptfile changes, flushing cache\n',
    );
    expect(built.stderr).toContain('       greetings to multi\n');
    expect(built.stderr).toContain('Using release configuration from last framework (nginx-buildpack).\n');
    expect((await built.run()).stdout).toBe('listen 5000;\n');
  });
});

import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { findProgram } from '../../src/system/tools.js';
import { useCli } from '../support/command-line.js';
import { writeFiles } from '../support/product.js';

const cli = useCli();
const run = promisify(execFile);
const { version } = JSON.parse(await readFile('package.json', 'utf8'));
let tarball = '';
let elsewhere = '';

// The scripts of the package would compile it anew while other tests use what is compiled.
beforeAll(async () => {
  const out = await cli.directory();
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', out]);
  tarball = join(out, `pack-build-${version}.tgz`);
  elsewhere = await cli.directory({ 'package.json': '{"private": true}\n' });
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], {
    cwd: elsewhere,
  });
}, 300_000);

/** Runs npx in the directory where the package is installed. Only what is asked for is on PATH. */
async function npx(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = {
    ...process.env,
    HOME: cli.home(),
    PACK_BUILD_CACHE_DIR: cli.cacheDir(),
    PACK_BUILD_DEFAULT_BASE: 'debian-12',
    npm_config_offline: 'true',
    ...env,
  };
  return run('npx', ['--no-install', 'pack-build', ...args], { cwd: elsewhere, env: all }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      status: error.code,
      stdout: error.stdout,
      stderr: error.stderr,
    }),
  );
}

const withoutNpm = (text: string) => text.replaceAll(/^npm (warn|notice).*\n/gim, '');

describe('the packed package', () => {
  it('holds what users need and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''));
    const tops = new Set(files.map((name) => name.split('/')[0]));
    expect([...tops].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'buildpacks', 'dist', 'docs', 'package.json'].sort(),
    );
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/cli/main.js',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/launcher/launcher.sh',
        'buildpacks/nodejs/bin/compile',
        'docs/errors.md',
      ]),
    );
    expect(files.filter((name) => /(^|\/)(test|fixtures|node_modules|__pycache__)(\/|$)|\.test\./.test(name))).toEqual(
      [],
    );
  });

  it('keeps the executable bits of scripts', async () => {
    const { stdout } = await run('tar', ['-tvzf', tarball]);
    const modes = stdout.match(/^\S+(?=.* package\/(buildpacks\/\w+\/bin\/\w+|dist\/cli\/main\.js)$)/gm) ?? [];
    expect(modes.length).toBeGreaterThan(8);
    expect(new Set(modes)).toEqual(new Set(['-rwxr-xr-x']));
  });
});

describe('the installed package', () => {
  it('has the command', async () => {
    expect(withoutNpm((await npx(['--version'])).stdout)).toBe(`${version}\n`);
  });

  it('says how to get the compiler when it is to be packed without it', async () => {
    const clone = await cli.directory();
    for (const name of ['package.json', 'scripts']) await cp(name, join(clone, name), { recursive: true });
    const env = { ...process.env, npm_config_update_notifier: 'false' };
    const packing = run('npm', ['pack', '--loglevel=silent'], { cwd: clone, env });
    await expect(packing).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^the compiler is not installed; install it first: npm install --no-save$/m),
    });
  });

  it('builds and starts an app', async () => {
    await writeFiles(join(elsewhere, 'app'), { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt\n' });
    // Node knows a flag of this name, and reads the command line of npx for it.
    await writeFiles(elsewhere, { 'vars.env': 'GREETING=hello\n' });
    const built = await npx(['app', '--base', cli.base(), '--env-file', 'vars.env']);
    expect(withoutNpm(built.stderr)).toContain('-----> Procfile app detected\n');
    expect(cli.plain(built.stdout)).toBe(`oci:${cli.plain(elsewhere)}/app/.pack-build/image@sha256:DIGEST\n`);
    expect(await npx(['run', 'app'])).toMatchObject({ status: 0, stdout: 'hello\n' });
  });

  it('says without bubblewrap exactly what to do', async () => {
    const path = await pathWith('node', 'npx', 'npm', 'sh', 'env', 'git');
    const failed = await npx(['app', '--base', cli.base()], { PATH: path });
    expect({ ...failed, stderr: withoutNpm(failed.stderr) }).toEqual({
      status: 80,
      stdout: '',
      stderr: [
        'error SANDBOX_MISSING: bubblewrap, which makes the sandbox, is not installed',
        '  why:  there is no bwrap on PATH',
        '  fix:  apt-get install bubblewrap; or use --sandbox host if you trust the app and its buildpacks',
        '',
      ].join('\n'),
    });
  });

  it('says without a base and the program that makes one exactly what to do', async () => {
    const path = await pathWith('node', 'npx', 'npm', 'sh', 'env', 'git', 'bwrap');
    const failed = await npx(['app'], { PATH: path, PACK_BUILD_CACHE_DIR: await cli.directory() });
    expect(failed).toMatchObject({ status: 80, stdout: '' });
    expect(withoutNpm(failed.stderr)).toMatch(/^-----> No base was named: making a debian-12 once/);
    expect(failed.stderr).toMatch(
      /\nerror TOOL_MISSING: .*mmdebstrap.*\n(.*\n)* {2}fix: {2}.*apt-get install .*mmdebstrap/,
    );
  });
});

const PROGRAM = `
import { type BuildResult, build, bubblewrap, detect, type Event, inspect, PackBuildError, rebase } from 'pack-build';

const [source = '', base = '', next = '', image = '', cacheDir = ''] = process.argv.slice(2);
const events: Event[] = [];
const tools = {
  sandbox: bubblewrap({ env: process.env }),
  env: { PATH: process.env['PATH'] ?? '' },
  on: (event: Event) => { events.push(event); },
  signal: new AbortController().signal,
};
const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch } as const;
const request = {
  source, base, to: [image], platform, cacheDir, network: 'none',
} as const;
const found = await detect(request, { sandbox: tools.sandbox, env: tools.env });
const built: BuildResult = await build(request, tools);
const moved = await rebase({ image, base: next, platform, cacheDir }, tools);
const { digest } = await inspect({ image, platform, cacheDir }, tools);
const error: unknown = await build({ ...request, source: '/nowhere' }, tools).catch((thrown: unknown) => thrown);
const failed = error instanceof PackBuildError ? error.code : 'none';
const heard = new Set(events.map(({ type }) => type)).has('output');
export const result = { found: found.map(({ name }) => name), moved: moved.digest !== built.digest, same: moved.digest === digest, failed, heard };
`;

// All that a program can name, in a program that has no types of Node.
const BARE = `
import * as all from 'pack-build';

export const tools: all.Tools = { sandbox: all.hostSandbox(), env: {}, registries: all.registries({ env: {} }) };
export type Made = Awaited<ReturnType<typeof all.build>>;
`;

describe('the library', () => {
  it('needs no types of Node', async () => {
    await writeFiles(elsewhere, { 'bare.mts': BARE });
    await checkTypes('bare.mts', []);
  }, 60_000);

  it('has types for what it gives, and never prints', async () => {
    await writeFiles(elsewhere, {
      'program.mts': PROGRAM,
      'main.mjs': "import { result } from './program.mjs';\nconsole.log(JSON.stringify(result));\n",
    });
    await linkTypes();
    await checkTypes('program.mts', ['node']);
    const app = await cli.directory({ Procfile: 'web: true\n' });
    const args = [app, cli.base(), cli.base('next'), `oci:${app}-image:v1`, cli.cacheDir()];
    const { stdout, stderr } = await run(process.execPath, ['main.mjs', ...args], { cwd: elsewhere });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      found: ['Procfile'],
      moved: true,
      same: true,
      failed: 'SOURCE_NOT_FOUND',
      heard: true,
    });
    expect(stdout.split('\n')).toHaveLength(2);
  }, 120_000);
});

/** Compiles a program as a careful user would, the types of the package included. */
async function checkTypes(program: string, types: readonly string[]): Promise<void> {
  const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const options = {
    strict: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types,
    skipLibCheck: false,
  };
  const project = { compilerOptions: options, files: [program] };
  await writeFiles(elsewhere, { 'tsconfig.json': JSON.stringify(project) });
  await run(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: elsewhere }).catch(({ stdout }) => {
    throw new Error(stdout);
  });
}

/** A program that uses the package may have the types of Node too. */
async function linkTypes(): Promise<void> {
  await mkdir(join(elsewhere, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types']) {
    await symlink(join(process.cwd(), 'node_modules', name), join(elsewhere, 'node_modules', name));
  }
}

/** A directory with nothing but these programs. */
async function pathWith(...programs: readonly string[]): Promise<string> {
  const directory = await cli.directory();
  for (const name of programs) {
    const found = name === 'node' ? process.execPath : await findProgram(name, process.env['PATH']);
    if (found !== undefined) await symlink(found, join(directory, name));
  }
  return directory;
}

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack } from '../support/product.js';
import { serve } from '../support/registry.js';

const cli = useCli();

const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt\n' };

async function built(app: string, ...flags: readonly string[]) {
  const run = await cli.run(['build', app, '--base', cli.base(), '--to', `oci:${app}-image`, ...flags]);
  return { ...run, stdout: cli.plain(run.stdout), stderr: cli.plain(run.stderr) };
}

async function labelsOf(app: string): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await cli.run(['inspect', `oci:${app}-image`, '--json']);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').app.labels;
}

describe('pack-build build --label', () => {
  it('labels the image, over what pack-build.toml says', async () => {
    const app = await cli.directory({ ...APP, 'pack-build.toml': '[labels]\na = "file"\nb = "file"\n' });
    expect((await built(app, '--label', 'b=flag', '--label', 'c=x=y')).status).toBe(0);
    expect(await labelsOf(app)).toEqual({ a: 'file', b: 'flag', c: 'x=y' });
  });

  it("refuses names of pack-build's own", async () => {
    const app = await cli.directory(APP);
    expect(await built(app, '--label', 'dev.pack-build.app={}')).toMatchObject({
      status: 2,
      stderr: [
        'error LABEL_INVALID: "dev.pack-build.app" cannot be a label of the app',
        '  why:  labels that begin with dev.pack-build. are those of pack-build itself',
        '  fix:  give it another name, such as com.example.version',
        '',
      ].join('\n'),
    });
  });
});

describe('pack-build build --buildpack-registry', () => {
  it.each([
    ['by its flag', (url: string) => ({ flags: ['--buildpack-registry', url], env: {} })],
    ['by the environment', (url: string) => ({ flags: [], env: { PACK_BUILD_BUILDPACK_REGISTRY: url } })],
  ])('says where a name is found, %s', async (_, told) => {
    const bp = await cli.directory(buildpack({ detect: 'echo From the registry' }));
    const tarball = execFileSync('tar', ['-cz', '-C', bp, '.']);
    const server = await serve((_request, response) => response.end(tarball));
    const { flags, env } = told(server.url);
    const app = await cli.directory({ ...APP, 'app.json': '{"buildpacks": [{"url": "heroku/php"}]}' });
    const first = await cli.run(['build', app, '--base', cli.base(), '--to', `oci:${app}-image`, ...flags], { env });
    await server.close();
    expect(cli.plain(first.stderr)).toContain('-----> From the registry app detected\n');
    expect(cli.plain(first.stderr)).toContain('warning: buildpack heroku/php came over plain HTTP');
    expect(server.seen.map(({ url }) => url)).toEqual(['/heroku/php.tgz']);
    const again = await cli.run(['build', app, '--base', cli.base(), '--to', `oci:${app}-image`, '--frozen']);
    expect([again.status, again.stdout]).toEqual([0, first.stdout]);
  });
});

describe('pack-build build --redact', () => {
  const prints = buildpack({ compile: 'cat "$3/TOKEN"; echo' });

  it.each([
    ['by its flag', ['--redact'], {}],
    ['by pack-build.toml', [], { 'pack-build.toml': 'redact = true\n' }],
  ])('hides config vars %s', async (_, flags, files) => {
    const app = await cli.directory({ ...APP, ...files });
    const bp = await cli.directory(prints);
    const { stderr } = await built(app, '--buildpack', bp, '--env', 'TOKEN=verysecret', ...flags);
    expect(stderr).toContain('<redacted>\n');
    expect(stderr).not.toContain('verysecret');
  });
});

describe('pack-build build --build-dir and --build-user', () => {
  const shows = buildpack({ detect: 'echo "$1 $HOME $(id -u)"' });

  it.each([
    ['by their flags', ['--build-dir', '/app', '--build-user', 'root'], {}, '/app /tmp/home_app 0'],
    ['by pack-build.toml', [], { 'pack-build.toml': 'build-dir = "/app"\n' }, '/app /tmp/home_app 1000'],
    ['by nobody', [], {}, '/tmp/build_app /app 1000'],
  ])('are settled %s, for detect too', async (_, flags, files, name) => {
    const app = await cli.directory({ ...APP, ...files });
    const bp = await cli.directory(shows);
    const { stderr } = await built(app, '--buildpack', bp, ...flags);
    expect(stderr).toContain(`-----> ${name} app detected\n`);
    const detected = await cli.run(['detect', app, '--base', cli.base(), '--buildpack', bp, ...flags]);
    expect(detected.stdout).toBe(`${bp}\t${name}\n`);
  });
});

describe('limits of pack-build build', () => {
  it('refuse a source that is too large', async () => {
    const app = await cli.directory(APP);
    const refused = await built(app, '--max-source', '10B');
    expect(refused).toMatchObject({
      status: 20,
      stdout: '',
      stderr: [
        `error SOURCE_TOO_LARGE: the app in ${cli.plain(app)} is larger than it may be`,
        '  why:  its files have 25 bytes (25 B), without .git and what .slugignore names; allowed are 10 (10 B)',
        '        the largest at its top:',
        '              19 B  `Procfile`',
        '               6 B  `index.txt`',
        '  fix:  name what the build does not need in .slugignore, or allow more with --max-source',
        '',
      ].join('\n'),
    });
    expect((await built(app, '--max-source', '25B')).status).toBe(0);
  });

  it('refuse an app that is too large', async () => {
    const app = await cli.directory({ 'zeros.bin': '0'.repeat(3_000_000), ...APP });
    const refused = await built(app, '--max-app', '1MiB', '--compression', 'none');
    expect(refused.status).toBe(50);
    expect(refused.stderr).toMatch(
      /^error APP_TOO_LARGE: the app that was built is larger than it may be\n {2}why: {2}its layers have \d+ bytes \(3 MB\); allowed are 1048576 \(1 MB\)\n {8}the largest:\n {14}3 MB {2}source\n/m,
    );
    expect((await built(app, '--max-app', '1MiB')).status).toBe(0);
  });

  it('are lowered by pack-build.toml, and not raised', async () => {
    const app = await cli.directory({ ...APP, 'pack-build.toml': 'max-source = "1GB"\ncompile-timeout = 1\n' });
    const bp = await cli.directory(buildpack({ compile: 'sleep 20' }));
    expect((await built(app, '--max-source', '10B')).stderr).toContain('allowed are 10 (10 B)');
    const slow = await built(app, '--buildpack', bp, '--compile-timeout', '10');
    expect([slow.status, slow.stderr]).toEqual([31, expect.stringContaining('did not end within 1 s')]);
  });

  it('cut a log', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: 'echo 123456789' }));
    const { stderr } = await built(app, '--buildpack', bp, '--max-log', '4B');
    expect(stderr).toContain('1234');
    expect(stderr).not.toContain('12345');
    expect(stderr).toContain('printed more than 4 B: the rest of its output is not shown\n');
  });

  it.each([
    [['--max-source', '10'], 'write it as a number with a unit'],
    [['--max-log', 'lots'], 'write it as a number with a unit'],
    [['--compile-timeout', '15m'], 'write it as a whole number of seconds'],
  ])('must be written with units: %j', async (flags, text) => {
    const refused = await built(await cli.directory(APP), ...flags);
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});

import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseLock } from '../../../src/settings/lock-file.js';
import { commitAll, git } from '../../support/git.js';
import { buildpack, fixture, useProduct, writeFiles } from '../../support/product.js';
import { serve } from '../../support/registry.js';

const { build, fail, directory } = useProduct();
const run = promisify(execFile);

describe('where buildpacks come from', () => {
  it('R1 needs bin/detect and bin/compile, and nothing else', async () => {
    const { result } = await build({ buildpacks: ['detects-always'] });
    expect(result.app.buildpacks.map(({ name }) => name)).toEqual(['detects-always']);
    const { error, wroteNothing } = await fail({ buildpacks: ['no-compile'] });
    expect([error.code, wroteNothing]).toEqual(['BUILDPACK_INVALID', true]);
    expect(error.message).toContain('no-compile has no bin/compile');
  });

  it('R2 S30 takes a directory, a git commit and a tarball with a top directory', async () => {
    const repository = await directory();
    await writeFiles(repository, buildpack({ compile: 'echo one > "$1/from"' }));
    const first = await commitAll(repository);
    await writeFiles(repository, buildpack({ compile: 'echo two > "$1/from"' }));
    await git(repository, 'commit', '-qam', 'two');
    const bundle = await directory();
    await writeFiles(join(bundle, 'owner-repo-abc'), buildpack({ compile: 'echo tarball > "$1/other"' }));
    await run('tar', ['-czf', join(bundle, 'bp.tgz'), '-C', bundle, 'owner-repo-abc']);

    const { text, result } = await build({
      request: {
        buildpacks: [fixture('detects-always'), `file://${repository}#${first}`, `file://${bundle}/bp.tgz?token=1`],
      },
    });
    expect([text('app/from'), text('app/other')]).toEqual(['one\n', 'tarball\n']);
    expect(result.app.buildpacks[1]?.version).toBe(first);
  });

  it('R3 splits a git reference at the first #, and refuses what names nothing', async () => {
    const repository = await directory();
    await writeFiles(repository, buildpack({}));
    await commitAll(repository);
    await git(repository, 'branch', 'a#b');
    const { result } = await build({ request: { buildpacks: [`file://${repository}#a#b`] } });
    expect(result.app.buildpacks[0]?.version).toMatch(/^[0-9a-f]{40}$/);

    const { error } = await fail({ request: { buildpacks: ['nonsense'] } });
    expect(error.code).toBe('REFERENCE_INVALID');
    expect(error.message).toContain('`nonsense` does not name a buildpack');
  });

  it('R4 S9 gives each build a fresh and writable copy, so that appending to export does not add up', async () => {
    const home = await directory();
    const appends = `echo 'export TIMES=x$TIMES' >> "$(dirname "$0")/../export"; stat -c %u "$0" > "$1/owner"`;
    await writeFiles(join(home, 'appends'), buildpack({ compile: appends }));
    const spec = { buildpacks: [join(home, 'appends'), buildpack({ compile: 'echo "$TIMES" > "$1/times"' })] };
    for (const _ of [1, 2]) {
      const { text } = await build(spec);
      expect([text('app/times'), text('app/owner')]).toEqual(['x\n', '1000\n']);
    }
    expect(await readdir(join(home, 'appends'))).toEqual(['bin']);
  });

  it('R5 drops an export file that was left from elsewhere, and says so', async () => {
    const show = buildpack({ compile: 'env > "$1/env"' });
    const { notices, text } = await build({ buildpacks: ['stale-export', show] });
    expect(notices.map(({ code }) => code)).toContain('BUILDPACK_STALE_EXPORT');
    expect(await readFile(join(fixture('stale-export'), 'export'), 'utf8')).toContain('=');
    expect(text('app/env')).not.toMatch(/stale/i);
  });

  it('R6 S20 makes scripts executable, bin/release too, and keeps other modes and links', async () => {
    const scripts = buildpack(
      { compile: 'd=$(dirname "$0")/..; { stat -c %a "$d/lib/tool"; readlink "$d/link"; } > "$1/seen"' },
      { 'lib/tool': { text: '', mode: 0o640 }, link: { link: '/nowhere/at/all' } },
    );
    const release = { text: '#!/bin/sh\necho "default_process_types: {web: bin/web}"\n', mode: 0o644 };
    const { text, result } = await build({ buildpacks: ['not-executable', { ...scripts, 'bin/release': release }] });
    expect(text('app/seen')).toBe('640\n/nowhere/at/all\n');
    expect(result.app.processes).toEqual({ web: 'bin/web' });
  });

  it('R7 calls every script by its absolute path', async () => {
    const say = 'echo "zero=$0" >&2';
    const scripts = { detect: `${say}; echo x`, compile: say, release: say, report: 'echo "zero: $0"' };
    const { output, result } = await build({ buildpacks: [buildpack(scripts)] });
    expect(output.match(/zero=.*/g)).toEqual(
      ['detect', 'compile', 'release'].map((name) => `zero=/tmp/buildpacks/1/bin/${name}`),
    );
    expect(Object.values(result.reports)).toEqual([{ zero: '/tmp/buildpacks/1/bin/report' }]);
  });

  it('R8 runs a script without a first line by the shell', async () => {
    const { text } = await build({ buildpacks: ['no-shebang'] });
    expect(text('app/ran')).toBe('ran without a first line\n');
  });

  it.each([
    ['crlf', 'has Windows line endings in bin/compile'],
    ['crlf-env', 'has Windows line endings in bin/compile'],
    ['ruby-script', 'needs ruby to run bin/compile, and the build base has none'],
    ['no-such-interpreter', 'needs /opt/none/bin/python to run bin/compile, and the build base has none'],
  ])('R8 S30 says what is wrong with the first line of %s', async (name, what) => {
    const { error } = await fail({ buildpacks: [name] });
    expect([error.code, error.message]).toEqual(['BUILDPACK_INVALID', `${fixture(name)} ${what}`]);
  });

  it('R9 records what pins each buildpack and what it called itself, and no place of this machine', async () => {
    const { result } = await build({ buildpacks: ['detect-multiline', 'detect-noname'] });
    expect(result.app.buildpacks).toEqual([
      { id: 'detect-multiline', name: 'First line', version: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
      { id: 'detect-noname', name: 'detect-noname', version: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    ]);
  });

  it('R9 BP-8 pins a tarball of the web and a name of a registry, and needs no network for them again', async () => {
    const bundle = await directory();
    await writeFiles(join(bundle, 'php'), buildpack({ compile: 'echo php > "$1/php"' }));
    await writeFiles(join(bundle, 'web'), buildpack({ compile: 'echo web > "$1/web"' }));
    for (const name of ['php', 'web'])
      await run('tar', ['-czf', join(bundle, `${name}.tgz`), '-C', join(bundle, name), '.']);
    const server = await serve(async (request, response) => {
      response.end(await readFile(join(bundle, basename(request.url ?? ''))));
    });
    const source = join(await directory(), 'app');
    await writeFiles(source, { 'index.txt': 'hello' });
    const request = {
      buildpacks: [`${server.url}/web.tgz`, 'heroku/php'],
      buildpackRegistry: `${server.url}/buildpacks`,
    };

    const first = await build({ source, request });
    expect([first.text('app/php'), first.text('app/web')]).toEqual(['php\n', 'web\n']);
    expect(server.seen.map(({ url }) => url)).toEqual(['/web.tgz', '/buildpacks/heroku/php.tgz']);
    const { buildpacks } = parseLock(await readFile(join(source, 'pack-build.lock')));
    expect(Object.entries(buildpacks)).toEqual([
      ['heroku/php', expect.stringMatching(/^sha512-/)],
      [`${server.url}/web.tgz`, expect.stringMatching(/^sha512-/)],
    ]);
    expect(first.result.app.buildpacks.map(({ id, version }) => [id, version])).toEqual([
      [`${server.url}/web.tgz`, buildpacks[`${server.url}/web.tgz`]],
      ['heroku/php', buildpacks['heroku/php']],
    ]);

    await server.close();
    const again = await build({ source, request: { ...request, frozen: true } });
    expect(again.result.digest).toBe(first.result.digest);
    const unknown = { buildpacks: ['heroku/ruby'], buildpackRegistry: server.url, frozen: true };
    const { error } = await fail({ source, request: unknown });
    expect([error.code, error.message]).toEqual([
      'LOCK_FROZEN',
      'the lock would change: buildpack heroku/ruby is not in pack-build.lock',
    ]);
  });

  it('R10 gives up on a server that does not answer after three tries', async () => {
    let asked = 0;
    const server = createServer(() => {
      asked += 1;
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { error, wroteNothing } = await fail({
      request: { buildpacks: [`http://127.0.0.1:${port}/bp.git`], fetchTimeoutMs: 400 },
    });
    server.closeAllConnections();
    server.close();
    expect([error.code, wroteNothing, asked]).toEqual(['BUILDPACK_FETCH_FAILED', true, 3]);
    expect(error.why).toContain('did not end within 0.4 s');
  });
});

describe('which buildpacks are used', () => {
  const one = buildpack({ detect: 'echo One' });
  const two = buildpack({ detect: 'echo Two' });

  async function app() {
    const source = join(await directory(), 'app');
    await writeFiles(join(source, '..', 'one'), one);
    await writeFiles(join(source, '..', 'two'), two);
    await writeFiles(source, { '.buildpacks': '# comment\r\n\r\n  ../one  \r\n../two\n' });
    return source;
  }

  const used = ({ result }: Awaited<ReturnType<typeof build>>) => result.app.buildpacks.map(({ name }) => name);

  it('R11 takes the list in .buildpacks in order', async () => {
    expect(used(await build({ source: await app() }))).toEqual(['One', 'Two']);
  });

  it('R11 prefers BUILDPACK_URL to .buildpacks, and the command line to both', async () => {
    const source = await app();
    const configVars = { BUILDPACK_URL: '../two' };
    expect(used(await build({ source, configVars }))).toEqual(['Two']);
    expect(used(await build({ source, configVars, buildpacks: ['detects-always'] }))).toEqual(['detects-always']);
  });

  it('R69 runs a buildpack twice when it is listed twice', async () => {
    const counts = buildpack({ compile: 'echo x >> "$1/count"; echo "export SEEN=1" > "$(dirname "$0")/../export"' });
    const home = await directory();
    await writeFiles(join(home, 'counts'), counts);
    const { text } = await build({ buildpacks: [join(home, 'counts'), join(home, 'counts')] });
    expect(text('app/count')).toBe('x\nx\n');
  });

  it('R67 lets a buildpack run another one by itself', async () => {
    const inner = await readFile(join(fixture('self-destruct'), 'bin/compile'), 'utf8');
    const outer = buildpack(
      { compile: 'inner=$(dirname "$0")/../inner; sh "$inner/compile" "$@"' },
      { 'inner/compile': inner },
    );
    expect((await build({ buildpacks: [outer] })).text('app/again')).toBe('again\n');
  });

  it('R119 runs bin/compile with three arguments also when there are scripts of another dialect', async () => {
    const both = buildpack({ compile: 'echo $# > "$1/argc"', supply: 'exit 9', finalize: 'exit 9' });
    expect((await build({ buildpacks: [both] })).text('app/argc')).toBe('3\n');
  });

  it('R89 takes the list in app.json when nothing else names one, and nothing but the list', async () => {
    const source = join(await directory(), 'app');
    await cp(fixture('echo-args'), join(source, '../echo-args'), { recursive: true });
    await writeFiles(source, {
      'app.json': JSON.stringify({
        buildpacks: [{ url: '../echo-args' }],
        env: { FROM_APP_JSON: 'x' },
        formation: { web: { quantity: 1 } },
      }),
      'project.toml': '[build]\n',
    });
    const built = await build({ source });
    expect(used(built)).toEqual(['Echo args']);
    expect(built.text('app/echo-args.txt')).not.toContain('FROM_APP_JSON');
    expect(built.result.app.processes).toEqual({});
  });
});

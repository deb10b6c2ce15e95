import { execFile } from 'node:child_process';
import { cp, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { findProgram } from '../../src/system/tools.js';
import { type CliOptions, useCli } from '../support/command-line.js';
import { buildpack, type Files, fixture } from '../support/product.js';

const cli = useCli();

const APP: Files = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt\n' };

interface Failure {
  readonly files?: Files;
  readonly app?: string;
  readonly base?: string;
  readonly buildpacks?: readonly string[];
  readonly flags?: readonly string[];
  readonly options?: CliOptions;
}

/**
 * Builds what must fail, and requires that nothing is left: no target, no lock, no change of the source or of the cache, no
 * temporary file, no process. Returns the exit status and the error as it is shown.
 */
async function failure(
  spec: Failure,
): Promise<{ readonly status: number; readonly error: string; readonly stderr: string }> {
  const app = spec.app ?? (await cli.directory(spec.files ?? APP));
  const out = await cli.directory();
  const buildpacks = (spec.buildpacks ?? []).flatMap((each) => ['--buildpack', each]);
  const before = { traces: await cli.traces(), app: await cli.treeOf(app), out: await cli.treeOf(out) };
  const failed = await cli.run(
    [
      'build',
      app,
      '--base',
      spec.base ?? cli.base(),
      '--to',
      `oci:${out}/image:v1`,
      ...buildpacks,
      ...(spec.flags ?? []),
    ],
    spec.options,
  );
  const after = { traces: await cli.traces(), app: await cli.treeOf(app), out: await cli.treeOf(out) };
  expect(after).toEqual(before);
  expect(after.traces).toMatchObject({ temporary: [], processes: [] });
  expect(failed.stdout).toBe('');
  const { stderr, status } = failed;
  return { status, stderr, error: cli.plain(stderr.slice(Math.max(0, stderr.search(/^error/m)))) };
}

const lines = (...all: readonly string[]) => `${all.join('\n')}\n`;

describe('pack-build build', () => {
  it.each(['--base', '--to'])('fails when %s is a bare name that a directory here has too', async (flag) => {
    const cwd = await cli.directory({ 'shop/notes.txt': '' });
    const failed = await failure({ flags: [flag, 'shop'], options: { cwd } });
    expect(failed.status).toBe(2);
    expect(failed.error).toMatch(
      /^error REFERENCE_INVALID: .* shop is\n.*\n {2}fix: {2}write oci:shop for the directory, or docker:\/\/shop for the registry\n$/,
    );
  });

  it('fails when there is no such directory', async () => {
    expect(await failure({ app: '/nowhere/app' })).toMatchObject({
      status: 2,
      error: lines(
        'error SOURCE_NOT_FOUND: there is no app in /nowhere/app',
        '  why:  it does not exist',
        "  fix:  name the app's directory: pack-build build DIR",
      ),
    });
    const app = join(await cli.directory({ 'file.txt': '' }), 'file.txt');
    expect(await failure({ app })).toMatchObject({
      status: 2,
      error: lines(
        `error SOURCE_NOT_FOUND: there is no app in ${cli.plain(app)}`,
        '  why:  it is not a directory',
        "  fix:  name the app's directory: pack-build build DIR",
      ),
    });
  });

  it('fails when nothing applies, with what each buildpack said', async () => {
    const app = await cli.directory({ 'notes.txt': '' });
    expect(await failure({ app })).toMatchObject({
      status: 20,
      error: lines(
        `error DETECT_NONE_MATCHED: none of 4 buildpacks recognised the app in ${cli.plain(app)}`,
        '  why:  nodejs     exit 1   "not a Node.js app: there is no package.json at its root"',
        '        python     exit 1   "not a Python app: its root has none of requirements.txt Pipfile Pipfile.lock pyproject.toml poetry.lock uv.lock setup.py .python-version runtime.txt manage.py app.py main.py"',
        '        go         exit 1   "not a Go module: there is no go.mod at its root"',
        '        procfile   exit 1   "there is no Procfile at the app\'s root, so nothing says how to start it"',
        '  fix:  add the file one of them looks for, or choose: --buildpack nodejs',
      ),
    });
  });

  it('fails when a detect is killed', async () => {
    const bp = fixture('detect-signal');
    expect(await failure({ buildpacks: [bp] })).toMatchObject({
      status: 20,
      error: lines(
        `error DETECT_CRASHED: bin/detect of ${bp} crashed (killed by SIGKILL)`,
        '  why:  its last lines:',
        '          about to end badly',
        "  fix:  report it to the buildpack's author; bin/detect should end with exit 0 or 1",
      ),
    });
  });

  it('fails when a compile fails, with its last lines', async () => {
    const bp = await cli.directory(
      buildpack({ compile: 'for n in $(seq 1 100); do echo "line $n"; done\necho " !     two lockfiles" >&2\nexit 3' }),
    );
    const failed = await failure({ buildpacks: [bp] });
    const tail = Array.from({ length: 19 }, (_, at) => `          line ${at + 82}`);
    expect(failed).toMatchObject({
      status: 30,
      error: lines(
        `error COMPILE_FAILED: ${cli.plain(bp)} stopped the build in bin/compile (exit 3)`,
        "  why:  this is the buildpack's verdict on the app; its last lines:",
        ...tail,
        '           !     two lockfiles',
        "  fix:  follow the buildpack's message above",
      ),
    });
    expect(failed.stderr).toContain('line 1\nline 2\n');
  });

  it('fails when a compile takes too long, and ends all that it started', async () => {
    const bp = await cli.directory(buildpack({ compile: 'sleep 300 & echo waiting; wait' }));
    expect(await failure({ buildpacks: [bp], options: { env: { COMPILE_TIMEOUT: '1' } } })).toMatchObject({
      status: 31,
      error: lines(
        `error COMPILE_TIMEOUT: bin/compile of ${cli.plain(bp)} did not end within 1 s and was stopped`,
        '  why:  its last lines:',
        '          waiting',
        '  fix:  find what it waits for, or give it more time with --compile-timeout, in seconds',
      ),
    });
  });

  it('fails when a release prints something else than a mapping', async () => {
    const bp = await cli.directory(buildpack({ release: 'echo "- web: npm start"' }));
    expect(await failure({ buildpacks: [bp] })).toMatchObject({
      status: 40,
      error: lines(
        `error RELEASE_MALFORMED: ${cli.plain(bp)} printed a bin/release document pack-build cannot read`,
        '  why:  line 1: found a list where a mapping must be',
        "  fix:  report it to the buildpack's author; bin/release must print a YAML mapping such as `default_process_types: {web: npm start}`",
      ),
    });
  });

  it('fails when the Procfile is malformed and --strict is given; else it warns', async () => {
    const files = { ...APP, Procfile: 'web: cat index.txt\nthis is no process\n' };
    expect(await failure({ files, flags: ['--strict'] })).toMatchObject({
      status: 40,
      error: lines(
        'error PROCFILE_MALFORMED: line 2 of the Procfile is not `type: command`',
        '  why:  line 2: `this is no process`',
        '  fix:  write `type: command` with letters, digits, `-` and `_` before the colon, or begin the line with `#`',
      ),
    });
    const built = await cli.run(['build', await cli.directory(files), '--base', cli.base()]);
    expect(built.status).toBe(0);
    expect(built.stderr).toContain('\nwarning: ');
  });

  it.each([
    ['web:', 'line 1 of the Procfile declares no process'],
    ['web', 'line 1 of the Procfile is not `type: command`'],
    [': foo', 'line 1 of the Procfile declares no process'],
    ['we b: a', 'line 1 of the Procfile is not `type: command`'],
    ['\xff: a', 'the Procfile is not UTF-8 text'],
  ])('fails when the Procfile of an app that needs no build is malformed: %j', async (line, message) => {
    const app = await cli.directory();
    await writeFile(join(app, 'Procfile'), Buffer.from(`${line}\n`, 'latin1'));
    const { status, error } = await failure({ app });
    expect([status, error.split('\n', 1)[0]]).toEqual([40, `error PROCFILE_MALFORMED: ${message}`]);
  });

  it('fails when the base is not there or no image', async () => {
    const empty = await cli.directory({ 'readme.txt': '' });
    const place = `oci:${empty}:run`;
    expect(await failure({ base: place })).toMatchObject({
      status: 10,
      error: lines(
        `error BASE_NOT_AN_IMAGE: the base ${cli.plain(place)} is not an image that can be read`,
        `  why:  ${cli.plain(empty)} is not an OCI image layout`,
        `        ${cli.plain(empty)}/oci-layout is missing`,
      ),
    });
    expect(await failure({ base: 'oci:/nowhere/base:run' })).toMatchObject({
      status: 10,
      error: lines(
        'error BASE_NOT_FOUND: there is no base at oci:/nowhere/base:run',
        '  why:  there is no directory /nowhere/base',
        '  fix:  make one: pack-build base create debian-12 --to oci:DIR, then --base oci:DIR:run --build-base oci:DIR:build',
      ),
    });
    const archive = `oci-archive:${join(await cli.directory({ 'base.tar': 'no archive at all' }), 'base.tar')}`;
    expect(await failure({ base: archive })).toMatchObject({
      status: 10,
      error: expect.stringContaining(`${cli.plain(archive)}: a tar archive is refused\n`),
    });
  });

  it('fails when a byte of the base has changed', async () => {
    const copy = await copyOfBase();
    const { blob, digest } = await layerOf(copy, 'run');
    const file = await open(blob, 'r+');
    await file.write(Buffer.from([0x2a]), 0, 1, 1000);
    await file.close();
    const failed = await failure({ base: `oci:${copy}:run`, flags: ['--cache-dir', `${copy}-cache`] });
    expect(failed.status).toBe(50);
    expect(failed.stderr).toMatch(
      `error DIGEST_MISMATCH: ${blob} does not hold the bytes of ${digest}\n  why:  ${digest} expected, sha256:`,
    );
    expect(failed.stderr).toMatch(
      /\n {2}fix: {2}copy the image there again, or name another place; check the disk if it repeats\n$/,
    );
    const left = await cli.treeOf(`${copy}-cache/v1`);
    expect(left.filter((line) => !/\/$|^used\//.test(line))).toEqual([]);
  });

  it('fails when the base has something in /app', async () => {
    const copy = await copyOfBase();
    const own = await cli.directory({ 'theirs.txt': '' });
    await promisify(execFile)('umoci', ['insert', '--image', `${copy}:run`, `${own}/theirs.txt`, '/app/theirs.txt']);
    expect(await failure({ base: `oci:${copy}:run` })).toMatchObject({
      status: 10,
      error: lines(
        'error BASE_APP_DIRECTORY: the base has something of its own at /app',
        '  why:  the directory is not empty',
        '  fix:  use a base without /app: this is where pack-build puts an app',
      ),
    });
  });

  it('fails when the disk of the cache is full', async () => {
    const full = await cli.directory();
    const base = await copyOfBase();
    const failed = await withFullDisk(full, ['--cache-dir', join(full, 'cache'), '--base', `oci:${base}:run`]);
    expect(failed.status).toBe(50);
    expect(roomOf(failed.error)).toBe(
      lines(
        `error DISK_FULL: there is no room left to write in ${cli.plain(full)}/cache/v1/roots`,
        '  why:  the file system is full',
        '  fix:  free some space there, or name a directory on another file system with --cache-dir or TMPDIR',
      ),
    );
    expect(failed.left).toEqual([]);
  });

  it.each([
    ['a new layout', (full: string) => `oci:${full}/images/shop:v1`, '; needed N bytes'],
    ['an archive', (full: string) => `oci-archive:${full}/image.tar:v1`, ''],
    ['an archive of Docker', (full: string) => `docker-archive:${full}/image.tar:shop:1`, ''],
  ])('fails when the disk of the target is full: %s', async (_, placeIn, needed) => {
    const full = await cli.directory();
    const place = placeIn(full);
    const failed = await withFullDisk(full, ['--base', cli.base(), '--to', place]);
    expect(failed.status).toBe(50);
    expect(cli.plain(failed.error).replace(/needed \d+/, 'needed N')).toBe(
      lines(
        `error DISK_FULL: there is no room left to write ${cli.plain(place)}`,
        `  why:  the file system is full${needed}; free 0 bytes`,
        '  fix:  name another place with --to, or free some space there',
      ),
    );
    expect(failed.left).toEqual([]);
  });

  it('fails when bubblewrap is missing, with the command that installs it', async () => {
    const path = await cli.directory({ git: { link: (await findProgram('git', process.env['PATH'])) ?? '' } });
    expect(await failure({ options: { env: { PATH: path } } })).toMatchObject({
      status: 80,
      error: lines(
        'error SANDBOX_MISSING: bubblewrap, which makes the sandbox, is not installed',
        '  why:  there is no bwrap on PATH',
        '  fix:  apt-get install bubblewrap; or use --sandbox host if you trust the app and its buildpacks',
      ),
    });
  });

  it('fails when a script has Windows line endings', async () => {
    const crlf = fixture('crlf');
    expect(await failure({ buildpacks: [crlf] })).toMatchObject({
      status: 20,
      error: lines(
        `error BUILDPACK_INVALID: ${crlf} has Windows line endings in bin/compile`,
        '  why:  its first line is `#!/bin/sh\\r`; the system looks for a program whose name ends in a carriage return',
        "  fix:  sed -i 's/\\r$//' bin/compile, and put `* text eol=lf` into the buildpack's .gitattributes",
      ),
    });
  });

  it('makes up for an executable bit that is missing', async () => {
    const built = await cli.run([
      'build',
      await cli.directory(APP),
      '--base',
      cli.base(),
      '--buildpack',
      fixture('not-executable'),
    ]);
    expect(built.status).toBe(0);
  });

  it('fails when a buildpack is not there', async () => {
    expect(await failure({ buildpacks: ['./nowhere'] })).toMatchObject({ status: 20 });
  });

  it('fails when a variable cannot be a file of ENV_DIR', async () => {
    expect(await failure({ flags: ['--env', 'A/B=1'] })).toMatchObject({ status: 2 });
    const file = join(await cli.directory({ 'vars.env': 'GOOD=1\nno assignment\n' }), 'vars.env');
    expect(await failure({ flags: ['--env-file', file] })).toMatchObject({ status: 2 });
    expect(await failure({ flags: ['--env-file', '/nowhere.env'] })).toMatchObject({ status: 2 });
  });

  it('fails when --frozen is given and the lock would change', async () => {
    expect(await failure({ flags: ['--frozen'] })).toMatchObject({
      status: 2,
      error: lines(
        `error LOCK_FROZEN: the lock would change: ${cli.plain(cli.base())} is not in pack-build.lock`,
        '  why:  --frozen builds only from what the lock names',
        '  fix:  build once without --frozen and keep pack-build.lock, or name the base by its digest: oci:DIR@sha256:…',
      ),
    });
    expect(await failure({ files: { ...APP, 'pack-build.lock': '{"version": 9}' } })).toMatchObject({ status: 2 });
  });

  it.each(['<<<<<<< ours', '{"version": 1, "bases": []}', '{"version": 1, "bases": {"oci:x": "latest"}}'])(
    'fails when the lock is %j, with what to do about it',
    async (lock) => {
      expect(await failure({ files: { ...APP, 'pack-build.lock': lock } })).toMatchObject({
        status: 2,
        error: expect.stringMatching(
          /^error LOCK_INVALID: .*\n {2}fix: {2}correct the entry, or delete pack-build\.lock to resolve everything anew\n$/s,
        ),
      });
    },
  );

  it('fails when the cache cannot be used, with how to name another', async () => {
    const file = join(await cli.directory({ file: '' }), 'file');
    expect(await failure({ options: { env: { PACK_BUILD_CACHE_DIR: join(file, 'cache') } } })).toMatchObject({
      status: 50,
      error: expect.stringMatching(
        /^error STORE_FAILED: .* for the cache with --cache-dir or PACK_BUILD_CACHE_DIR\n$/s,
      ),
    });
  });

  it('fails when the name of the directory is empty', async () => {
    const { status, stderr } = await cli.run(['build', '', '--base', cli.base()]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: lines(
        "error USAGE: the name of the app's directory is empty",
        '  fix:  name it, or `.` for this directory',
      ),
    });
  });

  it('fails when the command line cannot be understood', async () => {
    expect(await failure({ flags: ['--frobnicate'] })).toMatchObject({
      status: 2,
      error: lines("error USAGE: unknown option '--frobnicate'", '  fix:  pack-build build --help tells more'),
    });
    expect(await failure({ flags: ['--bass', 'x'] })).toMatchObject({
      error: lines(
        "error USAGE: unknown option '--bass'",
        '  why:  Did you mean --base?',
        '  fix:  pack-build build --help tells more',
      ),
    });
    expect(await failure({ flags: ['--to', 'docker-daemon:x:y'] })).toMatchObject({ status: 2 });
    expect(await failure({ flags: ['--platform', 'plan9'] })).toMatchObject({ status: 2 });
    for (const kind of ['lzma', 'gzip:0', 'gzip:10', 'zstd:20', 'none:1', 'gzip:']) {
      expect(await failure({ flags: ['--compression', kind] })).toMatchObject({
        status: 2,
        error: expect.stringContaining(
          `gzip, zstd or none, with a level if you like: gzip:1 to gzip:9, zstd:1 to zstd:19; not "${kind}".`,
        ),
      });
    }
    expect(await failure({ options: { env: { SOURCE_DATE_EPOCH: 'now' } } })).toMatchObject({ status: 2 });
  });

  it.each(['base', 'cache'])('fails when no command of %s is named', async (group) => {
    const { status, stdout, stderr } = await cli.run([group]);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: lines(
        `error USAGE: pack-build ${group} needs a command`,
        `  fix:  pack-build ${group} --help tells more`,
      ),
    });
  });

  it.each([
    [['inspect'], "missing required argument 'image'", 'pack-build inspect'],
    [['cache', 'info', '--frobnicate'], "unknown option '--frobnicate'", 'pack-build cache info'],
  ])('says with --json as data that %j cannot be understood', async (args, message, command) => {
    const { status, stdout, stderr } = await cli.run([...args, '--json']);
    expect({ status, stderr, ...JSON.parse(stdout) }).toEqual({
      status: 2,
      stderr: '',
      type: 'error',
      code: 'USAGE',
      message,
      why: null,
      fix: `${command} --help tells more`,
      details: {},
    });
  });
});

/** How much is free at the moment differs. */
const roomOf = (text: string) => cli.plain(text).replaceAll(/; (needed|free) \d+ bytes/g, '');

async function copyOfBase(): Promise<string> {
  const copy = join(await cli.directory(), 'base');
  await cp(cli.base('run').slice('oci:'.length, -':run'.length), copy, { recursive: true });
  return copy;
}

async function layerOf(layout: string, tag: string) {
  const json = async (name: string) => JSON.parse(await readFile(join(layout, name), 'utf8'));
  const blobOf = (digest: string) => `blobs/${digest.replace(':', '/')}`;
  const { manifests } = await json('index.json');
  const entry = manifests.find(
    ({ annotations }: { annotations: Record<string, string> }) =>
      annotations['org.opencontainers.image.ref.name'] === tag,
  );
  const { digest } = (await json(blobOf(entry.digest))).layers[0];
  return { digest, blob: join(layout, blobOf(digest)) };
}

/** Builds in a mount namespace of its own, where a directory has room for one megabyte. */
async function withFullDisk(directory: string, flags: readonly string[]) {
  const noise = 'tr -dc a-z < /dev/urandom | head -c 3000000 > "$1/noise"';
  const bp = await cli.directory(buildpack({ compile: noise }));
  const script = [
    'mount -t tmpfs -o size=1m none "$0" || exit 99',
    '"$@"',
    'status=$?',
    'find "$0" -type f ! -path "*/inventories/*" ! -path "*/used/*" -printf "left: %p\\n"',
    'exit $status',
  ].join('\n');
  const app = await cli.directory(APP);
  const node = ['unshare', process.getuid?.() === 0 ? '-m' : '-mr', 'sh', '-c', script, directory, process.execPath];
  const { status, stdout, stderr } = await cli.run(['build', app, '--buildpack', bp, ...flags], { node });
  expect(await cli.treeOf(app)).toHaveLength(2);
  return {
    status,
    error: stderr.slice(Math.max(0, stderr.search(/^error/m))),
    left: stdout.match(/^left: .*/gm) ?? [],
  };
}

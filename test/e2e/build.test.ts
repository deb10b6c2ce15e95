import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack, writeFiles } from '../support/product.js';

const cli = useCli();

const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt\nworker: sleep 9\n' };

describe('pack-build build', () => {
  it('writes the image, prints its reference alone on stdout, and tells people the rest on stderr', async () => {
    const app = await cli.directory(APP);
    const to = `oci:${app}-image:latest`;
    const built = await cli.run(['build', app, '--base', cli.base(), '--to', to]);
    expect(cli.plain(built.stdout)).toBe(`oci:${cli.plain(app)}-image@sha256:DIGEST\n`);
    expect(cli.plain(built.stderr)).toBe(
      [
        '-----> Procfile app detected',
        '-----> Nothing to build: the app starts as its Procfile says',
        '       web: cat index.txt',
        '       worker: sleep 9',
        '-----> Discovering process types',
        '       Procfile declares types -> web, worker',
        'wrote pack-build.lock',
        `-----> Built ${app.split('/').at(-1)}: 3 layers of the app, 0.0 MB`,
        '',
      ].join('\n'),
    );
    expect(built.status).toBe(0);
    expect((await cli.traces()).temporary).toEqual([]);
    expect((await cli.traces()).processes).toEqual([]);
  });

  it('is the verb when none is named, takes the directory that it is in, and says how to start the image', async () => {
    const app = await cli.directory(APP);
    const built = await cli.run(['--base', cli.base()], { cwd: app });
    expect(cli.plain(built.stdout)).toBe(`oci:${cli.plain(app)}/.pack-build/image@sha256:DIGEST\n`);
    expect(built.stderr).toMatch(/ {7}Start it with: pack-build run \.\n$/);
    expect(built.status).toBe(0);
    expect((await stat(join(app, '.pack-build/image/index.json'))).isFile()).toBe(true);
  });

  it('gives one digest for one source, warm and with an emptied cache, and writes each place that is asked for', async () => {
    const app = await cli.directory(APP);
    const places = [`oci:${app}-out:a`, `oci-archive:${app}.oci.tar`, `docker-archive:${app}.docker.tar:app:latest`];
    const args = ['build', app, '--base', cli.base(), '--quiet'];
    const first = await cli.run([...args, ...places.flatMap((place) => ['--to', place])]);
    const again = await cli.run([...args, '--to', `oci:${app}-out:b`, '--clear-cache', '--cache-dir', `${app}-cache`]);
    expect(first.stderr).toBe('');
    const [layout, archive, docker] = first.stdout.trimEnd().split('\n');
    const digest = layout?.split('@')[1];
    expect(archive).toBe(`oci-archive:${app}.oci.tar@${digest}`);
    expect(again.stdout).toBe(`oci:${app}-out@${digest}\n`);
    // An archive of docker has no manifest to have a digest: the image is known by that of its config.
    const { manifest } = await readImage(`${app}-out`, digest ?? '');
    expect(docker).toBe(`docker-archive:${app}.docker.tar@${manifest.config.digest}`);
  });

  it('gives the buildpacks --env as files, --build-env as environment, and --stack; none of it is in the image', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(
      buildpack({
        compile: 'echo "$(cat $3/SECRET) $(printenv SECRET || echo unset) $TOKEN $STACK $(cat $3/FROM_FILE)"',
      }),
    );
    const file = join(await cli.directory({ 'vars.env': 'FROM_FILE=filed\nSECRET=lesser\n' }), 'vars.env');
    const flags = ['--env', 's3cr3t=x', '--env', 'SECRET=s3cr3t', '--env-file', file, '--build-env', 'TOKEN=t0k3n'];
    const place = `oci:${app}-image:latest`;
    const built = await cli.run([
      'build',
      app,
      '--base',
      cli.base(),
      '--buildpack',
      bp,
      '--stack',
      'heroku-24',
      '--to',
      place,
      ...flags,
    ]);
    expect(built.stderr).toContain('\ns3cr3t unset t0k3n heroku-24 filed\n');
    const told = await cli.run(['inspect', place, '--json']);
    expect(told.stdout).toContain('"stack":"heroku-24"');
    expect(told.stdout).not.toMatch(/s3cr3t|t0k3n|filed/);
  });

  it('passes the bytes of buildpacks through untouched: colours, carriage returns, unended lines, no text at all', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(
      buildpack({
        compile: String.raw`printf '\033[1;32mgreen\033[0m\n10%%\r50%%\r100%%\n\377\376\000binary\nno end'; printf ' of line\n' >&2`,
      }),
    );
    const built = await cli.run(['build', app, '--base', cli.base(), '--buildpack', bp]);
    const printed = Buffer.from(
      '\u001b[1;32mgreen\u001b[0m\n10%\r50%\r100%\n\xff\xfe\x00binary\nno end of line\n',
      'latin1',
    );
    expect(built.stderrBytes.includes(printed)).toBe(true);
    expect(built.stdout).toMatch(/^oci:\S+\n$/);
  });

  it('shows output as it comes, not at the end', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: 'printf "Installing... "; sleep 2; echo done' }));
    const building = cli.start(['build', app, '--base', cli.base(), '--buildpack', bp]);
    await building.says('Installing... ');
    expect(building.stderr()).not.toContain('done');
    expect((await building.ended).stderr).toContain('Installing... done\n');
  });

  it('writes pack-build.lock once, keeps it, and --frozen refuses to change it', async () => {
    const app = await cli.directory(APP);
    const lock = join(app, 'pack-build.lock');
    await cli.run(['build', app, '--base', cli.base()]);
    const written = await readFile(lock, 'utf8');
    const { bases } = JSON.parse(written);
    const layout = cli.base().replace(/^oci:|:run$/g, '');
    expect(Object.keys(bases)).toEqual([`oci:${relative(app, layout)}:run`]);
    const frozen = await cli.run(['build', app, '--base', cli.base(), '--frozen', '--quiet']);
    expect(frozen.status).toBe(0);
    const elsewhere = await cli.directory();
    const fromThere = ['build', app, '--base', `oci:${relative(elsewhere, layout)}:run`, '--frozen', '--quiet'];
    expect(await cli.run(fromThere, { cwd: elsewhere })).toMatchObject({ status: 0, stderr: '' });
    const refused = await cli.run(['build', app, '--base', cli.base('next'), '--frozen', '--quiet']);
    expect(refused.status).toBe(2);
    expect(await readFile(lock, 'utf8')).toBe(written);
  });

  it('--quiet leaves warnings and errors only, --verbose tells each step', async () => {
    const app = await cli.directory({ ...APP, 'link-away': { link: '/nowhere' } });
    const quiet = await cli.run(['build', app, '--base', cli.base(), '--quiet']);
    expect(quiet.stderr).toBe('');
    const verbose = await cli.run(['build', app, '--base', cli.base(), '--verbose']);
    // Two of them run at once.
    const steps = verbose.stderr.match(/^\[[a-z]+/gm) ?? [];
    expect(steps.slice(0, 2)).toEqual(['[source', '[buildpacks']);
    expect([...steps.slice(2, 5)].sort()).toEqual(['[base', '[base', '[unpack']);
    expect(steps.slice(5)).toEqual(
      ['cache', 'detect', 'compile', 'snapshot', 'release', 'layers', 'write', 'cache'].map((step) => `[${step}`),
    );
  });

  it('--timings adds how long each step took, and what the steps do not account for', async () => {
    const app = await cli.directory(APP);
    const built = await cli.run(['build', app, '--base', cli.base(), '--quiet', '--timings', '--to', `oci:${app}-i:t`]);
    const rows = built.stderr.replaceAll(/ +-?\d+\.\d{3} s$/gm, ' N').split('\n');
    expect(rows.slice(0, 2)).toEqual(['source N', 'buildpacks N']);
    expect([...rows.slice(2, 5)].sort()).toEqual(['base N', 'base files N', 'unpack run N']);
    expect(rows.slice(5).join('\n').replaceAll(cli.home(), 'HOME')).toBe(
      [
        'cache restore N',
        'detect N',
        'compile procfile N',
        'snapshot procfile N',
        'release procfile N',
        'layers N',
        `write oci:${cli.plain(app)}-i:t N`,
        'cache keep N',
        '(between steps) N',
        'total N',
        '',
      ].join('\n'),
    );
  });

  it('takes relative places and buildpacks from where it is called, not from the app', async () => {
    const here = await cli.directory();
    await writeFiles(join(here, 'apps/one'), APP);
    await writeFiles(join(here, 'bp'), buildpack({ compile: 'echo from here' }));
    const built = await cli.run(
      ['build', 'apps/one', '--base', cli.base(), '--buildpack', './bp', '--to', 'oci:out:x'],
      {
        cwd: here,
      },
    );
    expect(built.stderr).toContain('from here\n');
    expect(built.status).toBe(0);
    expect((await stat(join(here, 'out/index.json'))).isFile()).toBe(true);
  });

  it('takes the time of the image from SOURCE_DATE_EPOCH', async () => {
    const app = await cli.directory(APP);
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    const built = await cli.run(['build', app, '--base', cli.base(), '--json'], { env });
    expect(JSON.parse(built.stdout.trim().split('\n').at(-1) ?? '').created).toBe('2023-11-14T22:13:20Z');
  });

  it('builds without isolation when --sandbox host says so, with a warning', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: 'echo compiled > "$1/made"' }));
    const built = await cli.run(['build', app, '--base', cli.base(), '--buildpack', bp, '--sandbox', 'host']);
    expect(built.stderr).toContain(
      'warning: --sandbox host: the app and its buildpacks run as you, with your files and your network; nothing holds them back\n',
    );
    expect(built.status).toBe(0);
  });
});

async function readImage(layout: string, digest: string) {
  const blob = (name: string) => readFile(join(layout, 'blobs', name.replace(':', '/')), 'utf8');
  return { manifest: JSON.parse(await blob(digest)) };
}

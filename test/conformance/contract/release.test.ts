import { describe, expect, it } from '@jest/globals';
import { buildpack, fixture, useProduct } from '../../support/product.js';

const { build, fail } = useProduct();

/** A buildpack whose bin/release prints this text. */
function releasing(text: string, name = 'test') {
  return buildpack(
    { detect: `echo ${name}`, release: 'cat "$(dirname "$0")/../text"' },
    { text: { text: Buffer.from(text) } },
  );
}

async function processesOf(spec: Parameters<typeof build>[0]) {
  return (await build(spec)).result.app.processes;
}

const WEB = 'default_process_types:\n  web: bin/web\n';

describe('bin/release', () => {
  it('R76 gets BUILD_DIR alone, after all compiles, and cannot write to it; its stderr is shown', async () => {
    const release = `echo "argc $#" >&2; echo "default_process_types: {web: $(cat "$1/made")}"; touch "$1/w" 2>/dev/null; true`;
    const makes = buildpack({ compile: 'echo later > "$1/made"' });
    const { output, result, paths } = await build({ buildpacks: [buildpack({ release }), makes] });
    expect([output, result.app.processes]).toEqual(['argc 1\n', { web: 'later' }]);
    expect(paths).not.toContain('app/w');
  });

  it.each([
    ['nothing', ''],
    ['dashes', '---\n'],
    ['an empty mapping', '--- {}\n'],
    ['an empty list of addons', 'addons: []\n'],
    ['keys without values', 'addons:\nconfig_vars: ~\ndefault_process_types:\n'],
  ])('R77 accepts %s', async (_, text) => {
    expect(await processesOf({ buildpacks: [releasing(text)] })).toEqual({});
  });

  it.each([
    ['a mapping without ---', WEB],
    ['JSON', '{"default_process_types": {"web": "bin/web"}}'],
    ["Ruby's to_yaml", `---\naddons: []\ndefault_process_types:\n  web: bin/web\n`],
    ['quotes', `---\n"default_process_types":\n  'web': "bin/web"\n`],
  ])('R77 reads %s', async (_, text) => {
    expect(await processesOf({ buildpacks: [releasing(text)] })).toEqual({ web: 'bin/web' });
  });

  it.each([
    ['- web', 'found a list where a mapping must be'],
    ['a: b: c', 'line 1'],
    ['default_process_types: [web]', 'must be a mapping'],
    ['default_process_types:\n  web: [npm, start]\n', 'line 2'],
  ])('R77 refuses %j, and names the buildpack', async (text, why) => {
    const { error, wroteNothing } = await fail({ buildpacks: [releasing(text)] });
    expect([error.code, wroteNothing]).toEqual(['RELEASE_MALFORMED', true]);
    expect(error.message).toContain('bp1 printed');
    expect(error.why).toContain(why);
  });

  it('R78 fails the build when it fails', async () => {
    const { error, wroteNothing } = await fail({ buildpacks: ['release-exit1'] });
    expect([error.code, wroteNothing]).toEqual(['RELEASE_FAILED', true]);
    expect(error.why).toContain('no release today');
  });

  it('R79 S39 makes config_vars defaults of the image, and of addons a record for people only', async () => {
    const { result } = await build({ buildpacks: ['release-config-vars'] });
    expect(result.image.config.value.config?.Env).toEqual(
      expect.arrayContaining(['RACK_ENV=production', 'DEBUG=no', 'HOME=/app']),
    );
    const addons = await build({ buildpacks: ['release-addons'] });
    expect(addons.result.app.processes).toEqual({});
    expect(JSON.stringify(addons.result.app.labels)).toContain('heroku-postgresql');
  });

  it('R80 S18 counts of the last buildpack that has one, entirely', async () => {
    const two = releasing('default_process_types: {worker: bin/worker}\n');
    expect(await processesOf({ buildpacks: [releasing(WEB), two] })).toEqual({ worker: 'bin/worker' });
    expect(await processesOf({ buildpacks: [releasing(WEB), 'release-obj'] })).toEqual({});
    expect(await processesOf({ buildpacks: [releasing(WEB), 'release-empty'] })).toEqual({});
    expect(await processesOf({ buildpacks: [releasing(WEB), 'release-none'] })).toEqual({ web: 'bin/web' });
  });
});

describe('the process table', () => {
  it('R81 S22 lays the Procfile over the defaults type by type, and tells of both', async () => {
    const files = { Procfile: 'worker: mine\nclock: mine\n' };
    const defaults = releasing('default_process_types: {web: theirs, worker: theirs, console: bash}\n', 'Theirs');
    const { result, lines } = await build({ files, buildpacks: [defaults] });
    expect(result.app.processes).toEqual({ web: 'theirs', worker: 'mine', console: 'bash', clock: 'mine' });
    expect(lines).toEqual(
      expect.arrayContaining([
        '       Procfile declares types -> clock, worker',
        '       Default types for Theirs -> console, web, worker',
      ]),
    );
  });

  it('R82 S21 reads the Procfile that is there after all compiles, by its exact name at the top', async () => {
    expect(await processesOf({ files: { Procfile: 'web: old\n' }, buildpacks: ['procfile-writer'] })).toEqual({
      web: 'bin/web --port $PORT',
      worker: 'bin/worker',
    });
    expect(
      await processesOf({ files: { procfile: 'web: x\n', 'sub/Procfile': 'web: x\n' }, buildpacks: ['release-none'] }),
    ).toEqual({});
  });

  it('R83 S21 reads lines, not YAML: BOM, CRLF, comments with colons, tabs, no last line feed', async () => {
    const Procfile =
      '\ufeffweb: echo foo: bar  \r\n# a: comment\r\n\r\n  \t# b: too\n\tworker:\tbin/x "a" b\nweird-1_x: @x {}\nlast: end';
    expect(await processesOf({ files: { Procfile }, buildpacks: ['release-none'] })).toEqual({
      web: 'echo foo: bar',
      worker: 'bin/x "a" b',
      'weird-1_x': '@x {}',
      last: 'end',
    });
  });

  it('R84 S21 warns of lines it cannot read and of repeated types, of which the last wins', async () => {
    const files = { Procfile: 'web : x\nno colon\nweb: one\nweb: two\n' };
    const { result, notices } = await build({ files, buildpacks: ['release-none'] });
    expect(result.app.processes).toEqual({ web: 'two' });
    expect(notices.map(({ code }) => code).filter((code) => code.startsWith('PROCFILE'))).toEqual([
      'PROCFILE_LINE_IGNORED',
      'PROCFILE_LINE_IGNORED',
      'PROCFILE_DUPLICATE',
    ]);
  });

  it.each(['web:\n', 'web:   \n', ': bin/web\n'])('R84 S21 refuses %j', async (Procfile) => {
    const { error, wroteNothing } = await fail({ files: { Procfile }, buildpacks: ['release-none'] });
    expect([error.code, wroteNothing]).toEqual(['PROCFILE_MALFORMED', true]);
  });

  it('R84 refuses a malformed line when nothing else names a process', async () => {
    const files = { Procfile: '# x\nweb bin/web\n' };
    const { error, wroteNothing } = await fail({ files, buildpacks: ['release-none'] });
    expect([error.code, error.details, wroteNothing]).toEqual(['PROCFILE_MALFORMED', { line: 2 }, true]);
    expect(await processesOf({ files, buildpacks: [releasing(WEB)] })).toEqual({ web: 'bin/web' });
  });

  it('R84 refuses any malformed line when it is to be strict', async () => {
    const spec = { files: { Procfile: 'web : x\n' }, buildpacks: ['release-none'], request: { strictProcfile: true } };
    expect((await fail(spec)).error.code).toBe('PROCFILE_MALFORMED');
  });

  it('R85 S21 keeps names as they are written, warns of odd ones and refuses those that would meet', async () => {
    const odd = await build({ files: { Procfile: 'Web: x\nmy_job: y\n' }, buildpacks: ['release-none'] });
    expect(odd.result.app.processes).toEqual({ Web: 'x', my_job: 'y' });
    expect(odd.notices.filter(({ code }) => code === 'PROCESS_NAME')).toHaveLength(2);
    const { error } = await fail({ files: { Procfile: 'my_job: x\nmy-job: y\n' }, buildpacks: ['release-none'] });
    expect(error.code).toBe('PROCFILE_MALFORMED');
  });

  it.each([
    ['web: x\nworker: y\n', 'web'],
    ['worker: y\n', 'worker'],
    ['worker: y\nclock: z\n', undefined],
    ['release: y\n', undefined],
  ])('R86 makes of %j the default %s', async (Procfile, type) => {
    const { result } = await build({ files: { Procfile }, buildpacks: ['release-none'] });
    expect([result.defaultProcess, result.image.config.value.config?.Cmd]).toEqual([type, type && [type]]);
  });

  it('R87 builds an app without any process, and warns', async () => {
    const { notices } = await build({ buildpacks: ['release-none'] });
    expect(notices.map(({ code }) => code)).toContain('NO_PROCESSES');
  });

  it('R97 is in /pack-build, as is the launcher, and nothing of either in /app', async () => {
    const files = { Procfile: 'web: FOO=bar cmd && "x"\n' };
    const { entry, text, paths } = await build({ files, buildpacks: ['release-none'] });
    expect(text('pack-build/processes/web')).toBe('FOO=bar cmd && "x"');
    expect(entry('pack-build/launcher')?.entry).toMatchObject({ type: 'file', mode: 0o755, uid: 0, gid: 0 });
    expect(paths.filter((path) => !path.startsWith('pack-build'))).toEqual(['app', 'app/Procfile']);
  });
});

describe('bin/report', () => {
  it('R90 S34 runs after builds that succeed, and its values are part of the result', async () => {
    const { result, output } = await build({
      buildpacks: ['report-json', 'report-yaml', 'report-fail', 'report-nested'],
    });
    expect(result.reports).toEqual({
      [fixture('report-json')]: { node_version: '20.1.0', installs: 2 },
      [fixture('report-yaml')]: { node_version: '20.1.0', cached: true },
    });
    expect(output).not.toContain('report went wrong');
  });

  it('R90 S34 runs after builds that fail, for each buildpack that was started, and sees CACHE_DIR', async () => {
    const never = buildpack({ report: 'echo "never: 1"' });
    const { error, events } = await fail({ buildpacks: ['report-yaml', 'report-reads-cache', never] });
    expect(error.code).toBe('COMPILE_FAILED');
    expect(events.flatMap((event) => (event.type === 'report' ? [event.values] : []))).toEqual([
      { node_version: '20.1.0', cached: true },
      { failure_reason: 'wanted' },
    ]);
  });

  it('R90 gets three directories, runs after the releases, and takes nothing from exports', async () => {
    const report =
      'echo "args: $# $1 $2 $3"; echo "exported: <$EXPORTED>"; test -e /tmp/released && echo "order: late"';
    const own = buildpack({
      compile: 'echo "export EXPORTED=1" > "$(dirname "$0")/../export"',
      release: 'touch /tmp/released',
      report,
    });
    expect(Object.values((await build({ buildpacks: [own] })).result.reports)).toEqual([
      { args: '3 /tmp/build_app /tmp/cache_app /tmp/env_app', exported: '<>', order: 'late' },
    ]);
  });
});

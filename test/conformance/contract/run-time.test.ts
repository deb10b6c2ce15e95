import { describe, expect, it } from '@jest/globals';
import { buildpack, type Files, type RunSpec, useProduct } from '../../support/product.js';

const { base, build, fail, rebase, run } = useProduct();

async function start(files: Files, spec: RunSpec = {}) {
  const { place } = await build({ files, buildpacks: ['release-none'] });
  return run(place, spec);
}

const SHOW = { args: ['env'] };

describe('the environment of a started process', () => {
  it('R98 S4 has HOME and the current directory at /app, the base PATH, uid 1000, and no export', async () => {
    const exports = buildpack({ compile: 'echo "export PATH=/exported:$PATH E=1" > "$(dirname "$0")/../export"' });
    const files = { Procfile: 'web: pwd; id -u; env | sort\n' };
    const { place, result } = await build({ files, buildpacks: [exports] });
    expect(result.image.config.value.config).toMatchObject({
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/app'],
      WorkingDir: '/app',
      User: '1000:1000',
    });
    const { stdout } = await run(place);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, 2)).toEqual(['/app', '1000']);
    const names = lines.slice(2).filter((line) => !/^(MEMORY_AVAILABLE|_|SHLVL|PWD)=/.test(line));
    expect(names).toEqual(['DYNO=web.1', 'HOME=/app', 'PATH=/usr/local/bin:/usr/bin:/bin', 'PORT=8080']);
  });

  it('R98 has /app as the current directory before profile scripts', async () => {
    const { place } = await build({ files: { Procfile: 'web: echo "$PROFILE_CWD"\n' }, buildpacks: ['profile-cwd'] });
    expect((await run(place)).stdout).toBe('/app\n');
  });

  it('R79 S39 gives config_vars of a release only where nothing else is set', async () => {
    const { place } = await build({ buildpacks: ['release-config-vars'] });
    expect((await run(place, SHOW)).stdout).toContain('RACK_ENV=production\n');
    expect((await run(place, { ...SHOW, env: { RACK_ENV: 'test' } })).stdout).toContain('RACK_ENV=test\n');
  });

  it('R40 S11 is under the config vars of the container, PATH too', async () => {
    const env = { PATH: '/own:/usr/bin:/bin', OWN: '1' };
    expect((await start({}, { ...SHOW, env })).stdout).toContain('PATH=/own:/usr/bin:/bin\n');
  });

  it('R104 has a PORT for web unless there is one, and for nothing else', async () => {
    const files = { Procfile: 'web: echo "port $PORT"\nworker: echo "port $PORT"\n' };
    const { place } = await build({ files, buildpacks: ['release-none'] });
    expect((await run(place)).stdout).toBe('port 8080\n');
    expect((await run(place, { env: { PORT: '5000' } })).stdout).toBe('port 5000\n');
    expect((await run(place, { args: ['worker'] })).stdout).toBe('port \n');
  });

  it('R105 has a DYNO that names the process type, unless there is one', async () => {
    const { place } = await build({ files: { Procfile: 'worker: echo $DYNO\n' }, buildpacks: ['release-none'] });
    expect((await run(place, { args: ['worker'] })).stdout).toBe('worker.1\n');
    expect((await run(place, { args: ['echo $DYNO'] })).stdout).toBe('run.1\n');
    expect((await run(place, { args: ['worker'], env: { DYNO: 'x.7' } })).stdout).toBe('x.7\n');
  });

  it('R110 has no metadata of a release', async () => {
    expect((await start({}, SHOW)).stdout).not.toContain('HEROKU_');
  });

  it('R110 has the labels that were given, also after a rebase, in one form whatever their order', async () => {
    const labels = { 'com.example.version': '1.2', 'org.opencontainers.image.revision': 'given' };
    const reversed = Object.fromEntries(Object.entries(labels).reverse());
    const spec = { files: { Procfile: 'web: true\n' }, buildpacks: ['release-none'] };
    const one = await build({ ...spec, request: { labels } });
    const two = await build({ ...spec, request: { labels: reversed } });
    const moved = await rebase(one.place, { base: base().place('next') });
    expect(one.result.app.labels).toEqual(labels);
    for (const { image } of [one.result, moved]) expect(image.config.value.config?.Labels).toMatchObject(labels);
    expect(two.result.digest).toBe(one.result.digest);
    expect((await build(spec)).result.digest).not.toBe(one.result.digest);
  });

  it("R110 refuses a label with a name of pack-build's own", async () => {
    const { error, wroteNothing } = await fail({ request: { labels: { 'dev.pack-build.app': '{}' } } });
    expect([error.code, wroteNothing]).toEqual(['LABEL_INVALID', true]);
  });
});

describe('profile scripts', () => {
  it('R99 S24 are sourced in the order of bytes, if their name ends in .sh', async () => {
    const { place } = await build({
      files: { Procfile: 'web: echo "$ORDER $NOT_SOURCED"\n' },
      buildpacks: ['profile-order', 'profile-nonsh'],
    });
    expect((await run(place)).stdout).toBe('aBb \n');
  });

  it('R99 S24 come after config vars and may override them', async () => {
    const files = { Procfile: 'web: echo "$OVERRIDDEN $DEFAULTED"\n' };
    const { place } = await build({ files, buildpacks: ['profile-override'] });
    expect((await run(place, { env: { OVERRIDDEN: 'config', DEFAULTED: 'config' } })).stdout).toBe('profile config\n');
  });

  it('R99 S25 end with .profile, which may change PATH', async () => {
    const files = {
      '.profile.d/a.sh': 'export LAST=d\n',
      '.profile': 'export LAST="$LAST"p PATH="/app/tools:$PATH"\n',
      'tools/own': { text: '#!/bin/sh\necho "own $LAST"\n', mode: 0o755 },
      Procfile: 'web: own\n',
    };
    expect((await start(files)).stdout).toBe('own dp\n');
  });

  it('R100 S24 may return, use unset names and declare at top level', async () => {
    const { place } = await build({
      files: {
        Procfile: 'web: echo "$BEFORE_RETURN/$AFTER_RETURN/$FROM_UNSET/$D"\n',
        '.profile.d/z.sh': 'declare -x D=d\n',
      },
      buildpacks: ['profile-return', 'profile-unset'],
    });
    expect(await run(place)).toMatchObject({ code: 0, stdout: '1//x/d\n' });
  });

  it('R101 S26 are all: no login shell resets PATH', async () => {
    const { stdout } = await start({ '.profile.d/p.sh': 'export PATH="/app/bin:$PATH"\n' }, SHOW);
    expect(stdout).toContain('PATH=/app/bin:/usr/local/bin:/usr/bin:/bin\n');
  });

  it('R102 S24 may print and fail, and only exit ends the start', async () => {
    const noisy = { '.profile.d/a.sh': 'echo out; echo err >&2; false\n', Procfile: 'web: echo started\n' };
    expect(await start(noisy)).toMatchObject({ code: 0, stdout: 'out\nstarted\n', stderr: 'err\n' });
    const exits = { '.profile.d/a.sh': 'exit 9\n', Procfile: 'web: echo started\n' };
    expect(await start(exits)).toMatchObject({ code: 9, stdout: '' });
  });

  it('R103 may be absent, and a directory named .profile is none', async () => {
    expect(await start({ '.profile/x': '', Procfile: 'web: echo started\n' })).toMatchObject({ stdout: 'started\n' });
  });
});

describe('commands', () => {
  it('R88 R100 S23 are shell text', async () => {
    const files = {
      Procfile: `web: cd sub && FOO="a  b" bash -c 'echo "$FOO $PORT"' && echo "it's" 'done' | cat\n`,
      'sub/x': '',
    };
    expect((await start(files)).stdout).toBe("a  b 8080\nit's done\n");
  });

  it('R106 are the default process, a type with arguments, or any other command with the profile', async () => {
    const files = { Procfile: 'web: echo web\nworker: echo worker "$@"\n', '.profile': 'export P=1\n' };
    const { place } = await build({ files, buildpacks: ['release-none'] });
    const out = async (...args: string[]) => (await run(place, { args })).stdout;
    expect(await out()).toBe('web\n');
    expect(await out('worker')).toBe('worker\n');
    expect(await out('worker', 'a b', 'c')).toBe('worker a b c\n');
    expect(await out('echo "$P" && ls')).toBe('1\nProcfile\n');
    expect(await out('printenv', 'P')).toBe('1\n');
    expect(await out('--', 'echo', 'web')).toBe('web\n');
  });

  it('R86 are listed, with status 1, when there is none to start', async () => {
    const { code, stderr } = await start({ Procfile: 'worker: x\nclock: y\n' });
    expect(code).toBe(1);
    expect(stderr).toContain('  clock: y\n  worker: x\n');
  });

  it('R109 run where nothing but /tmp and /app can be written', async () => {
    const script = 'touch /tmp/x && echo tmp; touch /x 2>/dev/null || echo root is read-only';
    expect((await start({}, { args: [script] })).stdout).toBe('tmp\nroot is read-only\n');
  });
});

describe('the end of a process', () => {
  /** Starts, and asks for the end as soon as the process has printed something. */
  async function stopped(Procfile: string) {
    const { place } = await build({ files: { Procfile }, buildpacks: ['release-none'] });
    const controller = new AbortController();
    return run(place, { signal: controller.signal, on: (event) => event.type === 'output' && controller.abort() });
  }

  it('R107 S27 reaches every process with SIGTERM', async () => {
    const child = `bash -c 'trap "echo child; exit" TERM; echo up; while :; do sleep 0.05; done' & trap "echo parent; wait; exit 3" TERM; wait`;
    const { code, stdout } = await stopped(`web: ${child}\n`);
    expect(code).toBe(3);
    expect(stdout).toContain('child\n');
    expect(stdout).toContain('parent\n');
  });

  it('R108 S27 comes at once, with status 143, for a process without a handler', async () => {
    // 143 is how the launcher's exit says SIGTERM.
    const began = performance.now();
    expect(await stopped('web: echo up; exec sleep 60\n')).toMatchObject({ killedBy: 'SIGTERM', stdout: 'up\n' });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('R108 has the status of the process, which is not process 1', async () => {
    expect(await start({ Procfile: 'web: test $$ -ne 1 && echo child; exit 7\n' })).toMatchObject({
      code: 7,
      stdout: 'child\n',
    });
  });

  it('R107 is asked for with SIGTERM, says the image', async () => {
    const { result } = await build({ buildpacks: ['release-none'] });
    expect(result.image.config.value.config).toMatchObject({
      StopSignal: 'SIGTERM',
      Entrypoint: ['/pack-build/launcher'],
    });
  });
});

describe('memory', () => {
  it('R111 is told in MEMORY_AVAILABLE only at the start, and kept when it is set', async () => {
    const { place, result } = await build({ buildpacks: ['release-none'] });
    expect(result.image.config.value.config?.Env?.join()).not.toContain('MEMORY');
    const { stdout } = await run(place, { args: ['echo $MEMORY_AVAILABLE'], env: { MEMORY_AVAILABLE: '512' } });
    expect(stdout).toBe('512\n');
    expect((await run(place, { args: ['echo "<$MEMORY_AVAILABLE>"'] })).stdout).toMatch(/^<\d*>\n$/);
  });

  it('R112 decides nothing about WEB_CONCURRENCY, which is for profile scripts', async () => {
    expect((await start({}, SHOW)).stdout).not.toContain('WEB_CONCURRENCY');
    const script = 'export WEB_CONCURRENCY="$' + '{WEB_CONCURRENCY:-2}" WEB_CONCURRENCY_SET_BY=test\n';
    const { stdout } = await start({ '.profile.d/WEB_CONCURRENCY.sh': script }, SHOW);
    expect(stdout).toContain('WEB_CONCURRENCY=2\n');
    expect(stdout).toContain('WEB_CONCURRENCY_SET_BY=test\n');
  });

  it('R113 of the building machine and its processors are nowhere in the image', async () => {
    const { result, layers } = await build({ buildpacks: ['release-none'] });
    const { Env, Labels } = result.image.config.value.config ?? {};
    expect(Env).toEqual(['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/app']);
    expect(Object.keys(Labels ?? {}).filter((name) => /memory|cpu/i.test(name))).toEqual([]);
    expect(layers.map(({ name }) => name)).toEqual(['launcher', 'process table', 'source']);
  });
});

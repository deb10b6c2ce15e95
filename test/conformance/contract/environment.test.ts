import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { writeTar } from '../../../src/archive/tar-write.js';
import { buildpack, useProduct } from '../../support/product.js';
import { bytesOf } from '../../support/tar.js';

const { build, fail, run, cacheDir } = useProduct();

/** What `env` prints in compile, without what a shell adds by itself. */
const SHOWS = buildpack({ compile: 'env -0 > "$1/env"' });

async function envOf(spec: Parameters<typeof build>[0]): Promise<Readonly<Record<string, string>>> {
  const { text } = await build({ buildpacks: [SHOWS], ...spec });
  const records = text('app/env').split('\0').filter(Boolean);
  const pairs = records.map((record) => [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)]);
  return Object.fromEntries(pairs.filter(([name]) => !['_', 'PWD', 'SHLVL', 'OLDPWD'].includes(name ?? '')));
}

describe('the environment of scripts', () => {
  it('R33 R34 R35 R36 S32 is this and nothing else, whatever the caller has', async () => {
    const env = {
      GIT_DIR: '.',
      NODE_OPTIONS: '--inspect',
      npm_config_cache: '/x',
      BASH_ENV: '/etc/passwd',
      ENV: '/etc/passwd',
      PYTHONPATH: '/x',
      LD_PRELOAD: '/x.so',
      AWS_SECRET_ACCESS_KEY: 'secret',
      DYNO: 'web.1',
    };
    expect(await envOf({ env })).toEqual({
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/app',
      APP_DIR: '/app',
      STACK: 'debian-12',
      SOURCE_VERSION: '',
      REQUEST_ID: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      CURL_CONNECT_TIMEOUT: '30',
      CURL_TIMEOUT: '180',
      LANG: 'C.UTF-8',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      SOURCE_DATE_EPOCH: expect.stringMatching(/^\d+$/),
    });
  });

  it('R34 has a REQUEST_ID that follows from what is built', async () => {
    const [one, same, other] = [
      await envOf({ files: { a: '1' } }),
      await envOf({ files: { a: '1' } }),
      await envOf({ files: { a: '2' } }),
    ];
    expect(same['REQUEST_ID']).toBe(one['REQUEST_ID']);
    expect(other['REQUEST_ID']).not.toBe(one['REQUEST_ID']);
  });

  it('R36 has no DYNO, so that profile scripts do not take a build for a dyno', async () => {
    expect(await envOf({ env: { DYNO: 'run.1' } })).not.toHaveProperty('DYNO');
  });

  it('R37 S31 takes STACK from the request, else from the label of the build base, else heroku-24', async () => {
    const stack = async (spec: Parameters<typeof build>[0]) => (await envOf(spec))['STACK'];
    expect(await stack({ request: { stack: 'heroku-22' } })).toBe('heroku-22');
    expect(await stack({ base: 'other-stack' })).toBe('heroku-22');
    expect(await stack({ base: 'unlabelled' })).toBe('heroku-24');
  });

  it('R38 S11 has no config var in it, in no script; what --build-env sets it has in all', async () => {
    const say = 'echo "seen $SECRET_TOKEN $REAL" >&2';
    const scripts = { detect: `${say}; echo x`, compile: say, release: say, report: 'echo "real: $REAL$SECRET_TOKEN"' };
    const { output, result } = await build({
      buildpacks: [buildpack(scripts)],
      configVars: { SECRET_TOKEN: 'hidden' },
      buildEnv: { REAL: 'shown' },
    });
    expect(output.match(/seen.*/g)).toEqual(['seen  shown', 'seen  shown', 'seen  shown']);
    expect(Object.values(result.reports)).toEqual([{ real: 'shown' }]);
  });

  it('R123 passes BUILDPACK_XTRACE with --trace', async () => {
    expect(await envOf({ request: { trace: true } })).toMatchObject({ BUILDPACK_XTRACE: '1' });
    expect(await envOf({})).not.toHaveProperty('BUILDPACK_XTRACE');
  });

  it('R126 has no proxy variables of the caller, unless they are asked for', async () => {
    const env = { http_proxy: 'http://proxy.example:1', HTTPS_PROXY: 'http://proxy.example:1', no_proxy: 'x' };
    const names = Object.keys(await envOf({ env }));
    expect(names.filter((name) => /proxy/i.test(name))).toEqual([]);
    expect(await envOf({ env, buildEnv: { https_proxy: 'http://proxy.example:1' } })).toMatchObject({
      https_proxy: 'http://proxy.example:1',
    });
  });
});

describe('config vars', () => {
  const lists = buildpack({
    compile: 'for f in "$3"/*; do printf "%s=<" "$(basename "$f")"; cat "$f"; echo ">"; done > "$1/vars"',
  });

  it('R39 S12 are files in ENV_DIR with exactly their values', async () => {
    const configVars = { LINES: 'one\ntwo\n', PLAIN: 'x', UTF8: 'ä€😀', EMPTY: '', SPACES: '  a  ' };
    const { text } = await build({ buildpacks: [lists], configVars });
    expect(text('app/vars')).toBe('EMPTY=<>\nLINES=<one\ntwo\n>\nPLAIN=<x>\nSPACES=<  a  >\nUTF8=<ä€😀>\n');
  });

  it.each(['a/b', '', '.', '..', 'a=b'])('R39 BP-5 refuses the name %j', async (name) => {
    const { error, wroteNothing } = await fail({ buildpacks: ['detects-always'], configVars: { [name]: 'x' } });
    expect([error.code, wroteNothing]).toEqual(['ENV_INVALID', true]);
  });

  it('R39 warns of names that shells cannot read or that platforms keep to themselves', async () => {
    const configVars = { 'WITH-DASH': '1', __PRIVATE: '1', HEROKU_X: '1', FINE: '1' };
    const { notices } = await build({ buildpacks: ['detects-always'], configVars });
    expect(notices.filter(({ code }) => code === 'CONFIG_VAR_NAME')).toHaveLength(3);
  });

  it('R40 S11 BP-4 are written whatever their name, and change nothing else', async () => {
    const configVars = { PATH: '/evil', GIT_DIR: 'x', LD_PRELOAD: '/x.so' };
    const both = buildpack({ compile: 'ls "$3" > "$1/names"; echo "$PATH" > "$1/path"' });
    const { text } = await build({ buildpacks: [both], configVars });
    expect(text('app/names')).toBe('GIT_DIR\nLD_PRELOAD\nPATH\n');
    expect(text('app/path')).toBe('/usr/local/bin:/usr/bin:/bin\n');
  });

  it('R41 are in no layer, config, manifest, event or file of the cache', async () => {
    const secret = 'correct horse battery staple';
    const built = await build({ buildpacks: ['detects-always'], configVars: { TOKEN: secret } });
    const { config, manifest } = built.result.image;
    const documents = [config.bytes, manifest.bytes].map((bytes) => Buffer.from(bytes).toString());
    const contents = built.layers.flatMap(({ entries }) => entries.map(({ content }) => content.toString()));
    expect([...documents, ...contents, built.output, JSON.stringify(built.events)].join()).not.toContain(secret);
    expect(built.paths.filter((path) => path.includes('env_app'))).toEqual([]);
    for (const name of await readdir(cacheDir(), { recursive: true })) {
      if (name.startsWith('v1/roots')) continue;
      const text = await readFile(`${cacheDir()}/${name}`, 'latin1').catch(() => '');
      expect(text).not.toContain(secret);
    }
  });
});

describe('the process of a script', () => {
  it('R42 has no input, no terminal, and no word about being automatic', async () => {
    const script = `{ readlink /proc/$$/fd/0; test -t 0 || test -t 1 || test -t 2 || echo none
      (: </dev/tty) 2>/dev/null || echo no tty; cat; env | grep -cE '^(CI|DEBIAN_FRONTEND)='; } > "$1/seen"; true`;
    const { text } = await build({ buildpacks: [buildpack({ compile: script })] });
    expect(text('app/seen')).toBe('/dev/null\nnone\nno tty\n0\n');
  });

  it('R43 runs as 1000:1000, who has a name and owns all directories', async () => {
    const script = 'id -u; id -g; whoami; stat -c %u:%g "$@" /app "$(dirname "$0")/.."';
    const { text, layers } = await build({ buildpacks: [buildpack({ compile: `{ ${script}; } > "$1/seen"` })] });
    expect(text('app/seen')).toBe(`1000\n1000\nheroku\n${'1000:1000\n'.repeat(5)}`);
    const owners = layers.flatMap(({ entries }) => entries.filter(({ entry }) => entry.path.startsWith('app')));
    expect(new Set(owners.map(({ entry }) => `${entry.uid}:${entry.gid}`))).toEqual(new Set(['1000:1000']));
  });

  it('R43 runs as root when asked to, who owns all directories, and the image stays that of 1000', async () => {
    const script = '{ id -u; id -g; whoami; stat -c %u:%g "$@" /app "$(dirname "$0")/.."; } > "$1/seen"';
    const { text, entry, result, place } = await build({
      files: { Procfile: 'web: id -u; stat -c %u:%g seen\n' },
      buildpacks: [buildpack({ compile: script })],
      request: { buildUser: 'root' },
    });
    expect(text('app/seen')).toBe(`0\n0\nroot\n${'0:0\n'.repeat(5)}`);
    expect(entry('app/seen')?.entry).toMatchObject({ uid: 1000, gid: 1000 });
    expect(result.image.config.value.config?.User).toBe('1000:1000');
    expect((await run(place)).stdout).toBe('1000\n1000:1000\n');
  });

  it('R43 has no rights as root that it has not as 1000, and makes the same image of the same files', async () => {
    const rights = 'grep -E "^(Cap|NoNewPrivs)" /proc/self/status; touch /usr/x 2>/dev/null || echo read-only';
    const same = buildpack({ compile: `{ ${rights}; } > "$1/rights"` });
    const app = await build({ buildpacks: [same] });
    const root = await build({ buildpacks: [same], request: { buildUser: 'root' } });
    expect(root.text('app/rights')).toMatch(/^CapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+\n/);
    expect(root.text('app/rights')).toMatch(/NoNewPrivs:\t1\nread-only\n$/);
    expect(root.result.digest).toBe(app.result.digest);
  });

  it('R43 S30 unpacks archives with owners of their own as root', async () => {
    const content = Buffer.from('odd\n');
    const odd = { path: 'odd', type: 'file', mode: 0o644, uid: 501, gid: 20, size: content.length } as const;
    const bytes = await bytesOf(writeTar([[odd, content]]));
    const { text } = await build({
      files: { 'x.tar': { text: bytes } },
      buildpacks: [buildpack({ compile: 'tar -C "$1" -xf "$1/x.tar"' })],
      request: { buildUser: 'root' },
    });
    expect(text('app/odd')).toBe('odd\n');
  });

  it('R45 ends with all that it started when it ignores SIGTERM', async () => {
    const stubborn = buildpack({ compile: `trap '' TERM; sleep 98761 & sleep 98761` });
    const { error } = await fail({ buildpacks: [stubborn], request: { compileTimeoutMs: 300 } });
    expect(error.code).toBe('COMPILE_TIMEOUT');
    expect(await commandLines()).not.toContain('98761');
  });

  it('R45 ends when the build is interrupted, and the build leaves nothing', async () => {
    const controller = new AbortController();
    const waits = buildpack({ compile: 'echo begun; sleep 98762' });
    const { error, wroteNothing } = await fail({
      buildpacks: [waits],
      signal: controller.signal,
      on: (event) => event.type === 'output' && controller.abort(),
    });
    expect([error.code, wroteNothing]).toEqual(['INTERRUPTED', true]);
    expect(await commandLines()).not.toContain('98762');
    expect(await readdir(`${cacheDir()}/v1/work`)).toEqual([]);
  });

  it('R46 S17 BP-14 ends with its own process, not with a daemon that holds its output', async () => {
    const daemon = buildpack({ compile: '(sleep 98763; touch "$1/late") & echo started' });
    const { output, paths } = await build({ buildpacks: [daemon] });
    expect(output).toContain('started\n');
    expect(paths).not.toContain('app/late');
    expect(await commandLines()).not.toContain('98763');
  });
});

async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.join('\n');
}

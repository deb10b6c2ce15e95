import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildpack, useProduct, writeFiles } from '../../support/product.js';

const { build, fail, run, directory } = useProduct();

describe('variables that change what programs do', () => {
  const names = ['LD_PRELOAD', 'NODE_OPTIONS', 'BASH_ENV', 'PATH', 'IFS'];
  const vars = names.map((name) => `  ${name}: /evil`).join('\n');
  const release = `cat <<'END'\nconfig_vars:\n${vars}\nEND`;

  it('BP-4 of a release are defaults of the app alone: no script of the build and no value of the operator is touched', async () => {
    const sees = buildpack({ compile: `env | grep -c /evil > "$1/seen" || true`, release });
    const last = buildpack({ release: 'env | grep -c /evil >&2; true' });
    const { text, output, place } = await build({ buildpacks: [sees, last, sees] });
    expect(text('app/seen')).toBe('0\n');
    expect(output).toBe('0\n');
    const shows = ['/bin/sh', '-c', 'echo "$NODE_OPTIONS"'];
    expect((await run(place, { args: shows, env: { NODE_OPTIONS: 'mine' } })).stdout).toBe('mine\n');
  });

  it.each(['A=B', '"A\\nB"', '""'])('BP-4 of a release cannot have the name %s', async (name) => {
    const odd = buildpack({ release: `printf 'config_vars:\\n  %s: x\\n' '${name}'` });
    const { error, wroteNothing } = await fail({ buildpacks: [odd] });
    expect([error.code, wroteNothing]).toEqual(['RELEASE_MALFORMED', true]);
  });

  it('BP-5 of an export are read within the sandbox, and never by a shell of the host', async () => {
    const outside = await directory();
    const writes = `echo host > '${outside}/caught'; cat /proc/self/status > /tmp/status; export SEEN=$(id -u)`;
    const exports = buildpack({ compile: `cat > export <<'END'\n${writes}\nEND` });
    const sees = buildpack({ compile: 'echo "$SEEN" > "$1/seen"; grep CapEff /tmp/status >> "$1/seen"' });
    const { text } = await build({ buildpacks: [exports, sees] });
    expect(text('app/seen')).toBe('1000\nCapEff:\t0000000000000000\n');
    await expect(writeFile(join(outside, 'caught'), '', { flag: 'wx' })).resolves.toBeUndefined();
  });
});

describe('what a detect prints', () => {
  it('BP-6 is no command to terminals or to CI: of a name nothing is kept but its text', async () => {
    const prints = String.raw`printf '\033]0;title\007\033[31mNa\rme\n::set-output name=x::y\n##vso[task.x]\n'`;
    const { lines, result } = await build({ buildpacks: [buildpack({ detect: prints })] });
    expect(lines.join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]|::set-output|##vso/);
    expect(result.app.buildpacks[0]?.name).not.toMatch(/[\u0000-\u001f\u007f]/);
  });

  it('BP-6 is heard in bounded memory', async () => {
    const before = process.memoryUsage().rss;
    let most = 0;
    const floods = buildpack({ detect: 'head -c 300000000 /dev/zero | tr "\\0" x; exit 1' });
    const { error } = await fail({
      buildpacks: [floods],
      on: () => {
        most = Math.max(most, process.memoryUsage().rss);
      },
    });
    expect(error.code).toBe('DETECT_REFUSED');
    expect(most - before).toBeLessThan(200e6);
  }, 60_000);

  it('BP-7 may be nothing; exit 137 is how a shell tells of a killed program, and a crash', async () => {
    const { lines } = await build({ buildpacks: [buildpack({ detect: 'true' })] });
    expect(lines.some((line) => / app detected$/.test(line))).toBe(true);
    expect((await fail({ buildpacks: [buildpack({ detect: 'exit 137' })] })).error.code).toBe('DETECT_CRASHED');
  });
});

describe('files that are not what they seem', () => {
  it('BP-12 are sockets and pipes in the source', async () => {
    const source = join(await directory(), 'app');
    await mkdir(source);
    await writeFiles(source, { index: '' });
    const pipes = buildpack({ compile: 'mkfifo "$1/p" "$2/q"; ln "$1/p" "$1/again"' });
    const { paths } = await build({ source, buildpacks: [pipes] });
    expect(paths.filter((path) => /\/(p|q|again)$/.test(path))).toEqual([]);
    expect((await build({ source, buildpacks: ['detects-always'] })).paths).toContain('app/index');
  });
});

describe('a cache', () => {
  it('BP-13 of one app is never that of another, and an image without it is the one with it', async () => {
    const parent = await directory();
    const [mine, other] = [join(parent, 'mine'), join(parent, 'other')];
    for (const source of [mine, other]) await writeFiles(source, { index: '' });
    const caches = buildpack({ compile: 'test -e "$2/made" || echo made > "$2/made"; cp "$2/made" "$1/made"' });
    const poisons = buildpack({ compile: 'echo poison > "$2/made"' });
    await build({ source: other, buildpacks: [poisons] });
    const first = await build({ source: mine, buildpacks: [caches] });
    const cached = await build({ source: mine, buildpacks: [caches] });
    const cleared = await build({ source: mine, buildpacks: [caches], request: { clearCache: true } });
    expect(first.text('app/made')).toBe('made\n');
    expect([cached.result.digest, cleared.result.digest]).toEqual([first.result.digest, first.result.digest]);
  });
});

describe('a process that stays', () => {
  const quiet = 'echo done > "$1/done"';
  const stays = (script: string) => buildpack({ compile: `(${script}) > /dev/null 2>&1 & ${quiet}` });

  it('BP-14 is killed before anything is read: the digest is that of a build without it', async () => {
    const late = 'sleep 2; while :; do echo late >> "$1/late"; echo late > "$1/done"; done';
    const one = await build({ buildpacks: [stays(late)] });
    const two = await build({ buildpacks: [buildpack({ compile: quiet })] });
    expect(one.paths).not.toContain('app/late');
    expect(one.layers.map(({ entries }) => entries)).toEqual(two.layers.map(({ entries }) => entries));
  });

  it('BP-14 may write all the time: what is read does not change under the reader', async () => {
    const { text } = await build({ buildpacks: [stays('while :; do echo line >> "$1/log"; done')] });
    expect(text('app/log')).toMatch(/^(line\n)+$/);
  });
});

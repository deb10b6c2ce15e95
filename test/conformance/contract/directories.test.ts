import { describe, expect, it } from '@jest/globals';
import { buildpack, useProduct, writeFiles } from '../../support/product.js';

const { build, directory, fail, run } = useProduct();

/** A buildpack whose compile writes what these lines print to `seen`. */
function looks(script: string) {
  return buildpack({ compile: `{\n${script}\n} > "$1/seen"` });
}

async function seen(script: string, files = {}): Promise<readonly string[]> {
  return (await build({ files, buildpacks: [looks(script)] })).text('app/seen').trimEnd().split('\n');
}

describe('BUILD_DIR', () => {
  it('R12 S4 is an absolute path without spaces that holds the source, and HOME is another directory', async () => {
    const script = 'echo "$1"; cat "$1/a file"; test -w "$1" && echo writable; echo "$HOME"; ls -A "$HOME"';
    expect(await seen(script, { 'a file': 'text\n' })).toEqual(['/tmp/build_app', 'text', 'writable', '/app']);
  });

  it('R13 has the same name in every build', async () => {
    const [one, two] = [await seen('echo "$@"', { a: '' }), await seen('echo "$@"', { b: '' })];
    expect(one).toEqual(['/tmp/build_app /tmp/cache_app /tmp/env_app']);
    expect(two).toEqual(one);
  });

  it('R14 S15 may be removed and made again', async () => {
    const { paths } = await build({ files: { old: '' }, buildpacks: ['self-destruct'] });
    expect(paths.filter((path) => path.startsWith('app'))).toEqual(['app', 'app/again']);
  });

  it('R14 is no mount point, so that another directory may take its place', async () => {
    const script =
      'grep -c " $1 " /proc/mounts > /tmp/n; mkdir /tmp/new; cp /tmp/n /tmp/new; rm -rf "$1"; mv /tmp/new "$1"';
    const { text } = await build({ buildpacks: [buildpack({ compile: script })] });
    expect(text('app/n')).toBe('0\n');
  });

  it('R14 S15 may be emptied into CACHE_DIR and filled again from a part of it', async () => {
    const script = 'd=$(mktemp -d "$2/subdirXXXXX"); mv "$1"/* "$d"; cp -R "$d/sub/." "$1"; rm -rf "$d"';
    const files = { 'sub/package.json': '{}', 'other/x': '' };
    const { paths } = await build({ files, buildpacks: [buildpack({ compile: script })] });
    expect(paths.filter((path) => path.startsWith('app'))).toEqual(['app', 'app/package.json']);
  });

  it('R15 is never what HOME is, also for scripts that resolve both', async () => {
    expect(await seen('realpath "$1" "$HOME" /app')).toEqual(['/tmp/build_app', '/app', '/app']);
  });

  describe('as /app', () => {
    const request = { buildDir: '/app' } as const;

    it('R15 R12 R21 R34 is /app, and HOME is a directory of its own, private to the build', async () => {
      const script = 'realpath "$@" "$HOME" "$APP_DIR"; ls -A "$1" "$HOME"; touch "$HOME/x" "$1/y" && echo writable';
      const shows = buildpack({ compile: `{ ${script}; } > /tmp/seen; mv /tmp/seen "$1/seen"` });
      const { text, paths } = await build({ files: { 'a file': '' }, buildpacks: [shows], request });
      expect(text('app/seen').trimEnd().split('\n')).toEqual([
        '/app',
        '/tmp/cache_app',
        '/tmp/env_app',
        '/tmp/home_app',
        '/app',
        '/app:',
        'a file',
        '',
        '/tmp/home_app:',
        'writable',
      ]);
      expect(paths.filter((path) => path.startsWith('app/'))).toEqual(['app/a file', 'app/seen', 'app/y']);
    });

    it('R15 R17 S6 leaves out what is left in HOME and /tmp', async () => {
      const { paths, layers } = await build({ buildpacks: ['home-secret'], request });
      expect(paths.filter((path) => path.startsWith('app'))).toEqual(['app', 'app/index.txt']);
      const contents = layers.flatMap(({ entries }) => entries.map(({ content }) => content.toString()));
      expect(contents.filter((text) => text.includes('secret'))).toEqual([]);
    });

    it('R15 R28 R48 R76 is what every script gets, and those that only look cannot write to it', async () => {
      const look = 'test "$1" = /app && ! touch "$1/x" 2>/dev/null';
      const scripts = { detect: `${look} && echo found`, release: `${look} && echo "default_process_types: {web: w}"` };
      const { result } = await build({
        buildpacks: [buildpack({ ...scripts, report: `${look}; echo rc: $?` })],
        request,
      });
      expect(result.app).toMatchObject({ buildpacks: [{ name: 'found' }], processes: { web: 'w' } });
      expect(Object.values(result.reports)).toEqual([{ rc: 0 }]);
    });

    it('R15 S5 keeps links into /app, which lead somewhere at run time, and files between buildpacks', async () => {
      const links = buildpack({ compile: 'echo 3 > "$1/version"; ln -s /app/version "$1/link"' });
      const follows = buildpack({ detect: 'cat "$1/link"', compile: 'cat /app/link > "$1/read"' });
      const files = { Procfile: 'web: cat /app/link\n' };
      const { text, entry, result, notices, place } = await build({ files, buildpacks: [links, follows], request });
      expect([text('app/read'), result.app.buildpacks[1]?.name]).toEqual(['3\n', '3']);
      expect(entry('app/link')?.entry.linkName).toBe('/app/version');
      expect(notices.filter(({ code }) => /PATH/.test(code))).toEqual([]);
      expect((await run(place)).stdout).toBe('3\n');
    });

    it('R15 R14 is a mount point: it can be emptied and filled again, not removed', async () => {
      const script = 'rm -rf "$1" 2>/dev/null; echo "$?" > /tmp/status; ls -A "$1" | wc -l; cp /tmp/status "$1/status"';
      const { text, output, paths } = await build({
        files: { old: '' },
        buildpacks: [buildpack({ compile: script })],
        request,
      });
      expect([output.trim(), text('app/status')]).toEqual(['0', '1\n']);
      expect(paths).not.toContain('app/old');
    });

    it('R15 R14 is told of when a buildpack fails because it cannot remove it', async () => {
      const strict = buildpack({ compile: 'set -e; rm -rf "$1"; mkdir "$1"' });
      const { error } = await fail({ buildpacks: [strict], request });
      expect(error.code).toBe('COMPILE_FAILED');
      expect(error.fix).toContain('build without --build-dir /app');
    });

    it('R15 R22 R70 shares a cache that must be copied from, and keeps it', async () => {
      const script = 'cat "$2/n" 2>/dev/null; echo kept > "$2/n"; mv "$1/index.txt" "$2/x"; cp "$2/x" "$1/x"';
      const source = await directory();
      await writeFiles(source, { 'index.txt': 'text' });
      const spec = { source, buildpacks: [buildpack({ compile: script })], request };
      const [one, two] = [await build(spec), await build(spec)];
      expect([one.output, two.output]).toEqual(['', 'kept\n']);
      expect(two.result.digest).toBe(one.result.digest);
    });
  });
});

describe('/app and the rest of the file system', () => {
  it('R16 S5 lets later buildpacks see what an earlier one linked into /app', async () => {
    const { text, paths, result } = await build({ buildpacks: ['app-symlink', 'app-symlink-user'] });
    expect([text('app/seen'), result.app.buildpacks[1]?.name]).toEqual(['3\n', '3']);
    expect(paths.filter((path) => path.includes('.heroku'))).toEqual([
      'app/.heroku',
      'app/.heroku/python',
      'app/.heroku/python/version',
    ]);
  });

  it('R17 S6 discards what is left in HOME, /app and /tmp', async () => {
    const leaves =
      'echo leftover > "$HOME/.gitconfig"; mkdir /app/bin; echo leftover > /app/bin/x; echo leftover > /tmp/jdk.tgz';
    const { layers, paths } = await build({ buildpacks: ['home-secret', buildpack({ compile: leaves })] });
    expect(paths.filter((path) => /ssh|gitconfig|jdk|bin/.test(path))).toEqual([]);
    const contents = layers.flatMap(({ entries }) => entries.map(({ content }) => content.toString()));
    expect(contents.filter((text) => /secret|leftover/.test(text))).toEqual([]);
  });

  it('R17 R116 cannot change the base', async () => {
    const script = 'for path in / /usr /etc /usr/bin; do touch "$path/x" 2>/dev/null || echo "no $path"; done';
    expect(await seen(script)).toEqual(['no /', 'no /usr', 'no /etc', 'no /usr/bin']);
  });

  it('R18 hides two builds that use the same names from each other', async () => {
    const script = (own: string) => `
      echo ${own} > /tmp/node.tar.gz; mkdir /app/.heroku; echo ${own} > /app/.heroku/x; sleep 0.5
      cat /tmp/node.tar.gz /app/.heroku/x; ls /tmp/build_app`;
    const builds = ['one', 'two'].map((own) => seen(script(own), { [own]: '' }));
    expect(await Promise.all(builds)).toEqual([
      ['one', 'one', 'one', 'seen'],
      ['two', 'two', 'seen', 'two'],
    ]);
  });

  it('R19 begins with an empty /app', async () => {
    expect(await seen('ls -A /app | wc -l; touch /app/x && echo writable')).toEqual(['0', 'writable']);
  });

  it('R24 has a /tmp that everyone may write, and no TMPDIR', async () => {
    const script = 'stat -c %a /tmp; printenv TMPDIR || echo unset; dirname "$(mktemp -t x.XXXX)"';
    expect(await seen(script)).toEqual(['1777', 'unset', '/tmp']);
  });
});

describe('CACHE_DIR and ENV_DIR', () => {
  it('R20 shares one CACHE_DIR among the buildpacks of an app', async () => {
    const puts = buildpack({ compile: 'test -d "$2" && echo "$2" > "$2/shared"' });
    const { text } = await build({ buildpacks: [puts, looks('cat "$2/shared"; echo "$2"')] });
    expect(text('app/seen')).toBe('/tmp/cache_app\n/tmp/cache_app\n');
  });

  it('R21 keeps ENV_DIR private, outside of BUILD_DIR, and there without any config var', async () => {
    expect(
      await seen('echo "$3"; stat -c %a "$3"; ls -A "$3" | wc -l; mkdir -p "$3" && touch "$3/x" && echo ok'),
    ).toEqual(['/tmp/env_app', '700', '0', 'ok']);
    const { text } = await build({ configVars: { A: '1' }, buildpacks: [looks('stat -c "%a %u" "$3/A"')] });
    expect(text('app/seen')).toBe('600 1000\n');
  });

  it('R22 has BUILD_DIR, CACHE_DIR and /tmp on one file system, between which names can be linked and moved', async () => {
    const script =
      'stat -c %d "$1" "$2" /tmp | sort -u | wc -l; touch "$2/f" && ln "$2/f" "$1/f" && ln "$1/f" /tmp/f && echo linked';
    expect(await seen(script)).toEqual(['1', 'linked']);
  });

  it('R23 S14 BP-12 captures files that share their bytes with the cache as files of their own', async () => {
    const { entry } = await build({ buildpacks: ['hardlinker'] });
    for (const path of ['app/linked', 'app/linked-again'])
      expect([entry(path)?.entry.type, entry(path)?.content.toString()]).toEqual(['file', 'linked\n']);
  });

  it('R25 runs every script with umask 022', async () => {
    const say = 'echo "umask $(umask)" >&2';
    const scripts = { detect: `${say}; echo x`, compile: say, release: say, report: 'echo "umask: $(umask)"' };
    const old = process.umask(0o077);
    try {
      const { output, result } = await build({ buildpacks: [buildpack(scripts)] });
      expect(output.match(/umask \d+/g)).toEqual(['umask 0022', 'umask 0022', 'umask 0022']);
      expect(Object.values(result.reports)).toEqual([{ umask: expect.anything() }]);
      expect(`${Object.values(result.reports)[0]?.['umask']}`).toMatch(/^0*(22|18)$/);
    } finally {
      process.umask(old);
    }
  });
});

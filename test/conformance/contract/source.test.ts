import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commitAll } from '../../support/git.js';
import { buildpack, useProduct, writeFiles } from '../../support/product.js';

const { build, fail, directory } = useProduct();

describe('the source that buildpacks get', () => {
  it('R26 S28 has no .git, and SOURCE_VERSION tells the commit', async () => {
    const source = join(await directory(), 'app');
    await writeFiles(source, { a: 'a', '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = https://example.com/x\n' });
    const commit = await commitAll(source);
    const script = 'test ! -e "$1/.git" && test -e "$1/.gitmodules" && echo "$SOURCE_VERSION" > "$1/version"';
    const { text, result } = await build({ source, buildpacks: ['git-looker', buildpack({ compile: script })] });
    expect([text('app/looked'), text('app/version')]).toEqual(['no repository\n', `${commit}\n`]);
    expect(result.image.config.value).toMatchObject({
      created: '2026-03-04T05:06:07Z',
      config: { Labels: { 'org.opencontainers.image.revision': commit } },
    });
  });

  it('R27 S28 is without what .slugignore names already in bin/detect', async () => {
    const looks = buildpack({ detect: 'test -e "$1/package.json" || { echo "is it in .slugignore?" >&2; exit 1; }' });
    const files = { 'package.json': '{}', '.slugignore': 'package.json\n' };
    const { error } = await fail({ files, buildpacks: [looks] });
    expect(error.code).toBe('DETECT_REFUSED');
    expect(error.why).toContain('is it in .slugignore?');
  });

  it('R28 S29 reads .slugignore as globs: at any depth, anchored by a slash, whole directories, no `!`', async () => {
    const { paths, notices } = await build({
      files: {
        '.slugignore': '# comment\n\n*.psd\r\n/test\ndocs\nwith space\n!keep.psd\n*.rc\n',
        'a.psd': '',
        'keep.psd': '',
        'deep/er/b.psd': '',
        'test/t': '',
        'lib/test/t': '',
        'docs/deep/d': '',
        'lib/docs/d': '',
        'with space': '',
        '.hidden.rc': '',
        'lib/kept': '',
      },
      buildpacks: ['detects-always'],
    });
    expect(paths.filter((path) => path.startsWith('app/'))).toEqual([
      'app/.hidden.rc',
      'app/.slugignore',
      'app/deep',
      'app/deep/er',
      'app/lib',
      'app/lib/kept',
      'app/lib/test',
      'app/lib/test/t',
    ]);
    expect(notices.map(({ code }) => code)).toContain('SLUGIGNORE_NEGATION');
  });

  it('R29 heeds only the .slugignore at the top, and keeps the file itself', async () => {
    const files = { '.slugignore': 'gone\n', 'sub/.slugignore': 'kept\n', 'sub/kept': '', gone: '' };
    const { paths } = await build({ files, buildpacks: ['detects-always'] });
    expect(paths).toEqual(expect.arrayContaining(['app/.slugignore', 'app/sub/.slugignore', 'app/sub/kept']));
    expect(paths).not.toContain('app/gone');
  });

  it('R30 S19 keeps tmp/ and log/, where a release may find what compile left', async () => {
    const { result, paths } = await build({ files: { 'log/x': '', 'tmp/y': '' }, buildpacks: ['release-reader'] });
    expect(result.app.processes).toEqual({ web: 'from-tmp' });
    expect(paths).toEqual(expect.arrayContaining(['app/log/x', 'app/tmp/y', 'app/tmp/release.yml']));
  });

  it('R30 S19 makes nothing of a release that finds its file gone', async () => {
    const tolerant = buildpack({ release: 'cat "$1/tmp/none.yml" 2>/dev/null || true' });
    expect((await build({ buildpacks: [tolerant] })).result.app.processes).toEqual({});
  });

  it('R31 keeps executable bits, links and empty directories, and follows no link out of the tree', async () => {
    const { entry } = await build({
      files: {
        'bin/compile': { text: '#!/bin/sh\necho ran > "$1/inline"\n', mode: 0o775 },
        private: { text: '', mode: 0o600 },
        passwd: { link: '/etc/passwd' },
        up: { link: '../../../outside' },
        empty: { directory: true },
      },
      buildpacks: [buildpack({ compile: 'exec "$1/bin/compile" "$@"' })],
    });
    expect(entry('app/inline')?.content.toString()).toBe('ran\n');
    expect(entry('app/bin/compile')?.entry.mode).toBe(0o755);
    expect(entry('app/private')?.entry.mode).toBe(0o644);
    expect(entry('app/passwd')?.entry).toMatchObject({ type: 'symlink', linkName: '/etc/passwd' });
    expect(entry('app/up')?.entry).toMatchObject({ type: 'symlink', linkName: '../../../outside' });
    expect(entry('app/empty')?.entry.type).toBe('directory');
  });

  it('R32 stops a compile that takes longer than it may', async () => {
    const { error, wroteNothing } = await fail({ buildpacks: ['compile-hangs'], request: { compileTimeoutMs: 300 } });
    expect([error.code, wroteNothing]).toEqual(['COMPILE_TIMEOUT', true]);
    expect(error.why).toContain('waiting for something');
  });

  it('R32 refuses a source that is larger than it may be, before anything is built', async () => {
    const files = {
      'public/video.bin': 'v'.repeat(3000),
      'lib/a.js': 'a'.repeat(600),
      'lib/b.js': 'b'.repeat(600),
      'ignored.bin': 'i'.repeat(90_000),
      '.git/objects/pack': 'g'.repeat(90_000),
      '.slugignore': 'ignored.bin\n',
    };
    const allowed = 3000 + 1200 + 12;
    const { error, wroteNothing, events } = await fail({
      files,
      buildpacks: ['detects-always'],
      request: { limits: { sourceBytes: allowed - 1 } },
    });
    expect([error.code, wroteNothing]).toEqual(['SOURCE_TOO_LARGE', true]);
    expect(error.why).toBe(
      [
        'its files have 4212 bytes (4.2 kB), without .git and what .slugignore names; allowed are 4211 (4.2 kB)',
        'the largest at its top:',
        '      3 kB  `public/`',
        '    1.2 kB  `lib/`',
        '      12 B  `.slugignore`',
      ].join('\n'),
    );
    expect(error.fix).toContain('--max-source');
    expect(events.filter((event) => event.type === 'step.start' && event.step === 'detect')).toEqual([]);
    await build({ files, buildpacks: ['detects-always'], request: { limits: { sourceBytes: allowed } } });
  });

  it('R32 refuses an app that is larger than it may be, before it is written', async () => {
    const makes = buildpack({ compile: 'mkdir "$1/vendor"; head -c 2000000 /dev/zero > "$1/vendor/zeros"' });
    const { error, wroteNothing } = await fail({
      buildpacks: [makes],
      request: { limits: { appBytes: 1_000_000 }, compression: 'none' },
    });
    expect([error.code, wroteNothing]).toEqual(['APP_TOO_LARGE', true]);
    expect(error.why).toMatch(
      /^its layers have \d+ bytes \(2 MB\); allowed are 1000000 \(1 MB\)\nthe largest:\n {6}2 MB {2}/,
    );
    await build({ buildpacks: [makes], request: { limits: { appBytes: 1_000_000 } } });
  });

  it('R32 S35 shows no more of what a script prints than it may, says so once, and builds on', async () => {
    const chatty = buildpack({ compile: 'for i in 1 2 3 4 5; do echo "line $i"; sleep 0.05; done' });
    const { output, notices } = await build({ buildpacks: [chatty], request: { limits: { logBytes: 10 } } });
    expect(output).toBe('line 1\nlin');
    expect(notices.filter(({ code }) => code === 'LOG_CUT').map(({ message }) => message)).toEqual([
      expect.stringContaining('printed more than 10 B: the rest of its output is not shown'),
    ]);
    const failing = buildpack({ compile: 'for i in 1 2 3 4 5; do echo "line $i"; done; exit 1' });
    const { error } = await fail({ buildpacks: [failing], request: { limits: { logBytes: 10 } } });
    expect(error.why).toContain('line 5');
  });
});

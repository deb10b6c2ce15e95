import { describe, expect, it } from '@jest/globals';
import { buildpack, useProduct } from '../../support/product.js';

const { build, fail } = useProduct();

describe('bin/compile', () => {
  it('R53 S3 runs compile with three absolute paths and the buildpack as cwd', async () => {
    const { text } = await build({ buildpacks: ['echo-args', 'cwd-relative'] });
    expect(text('app/echo-args.txt').split('\n').slice(0, 6)).toEqual([
      'argc=3',
      'arg=/tmp/build_app',
      'arg=/tmp/cache_app',
      'arg=/tmp/env_app',
      'zero=/tmp/buildpacks/1/bin/compile',
      'cwd=/tmp/buildpacks/1',
    ]);
    expect(text('app/from-cwd')).toBe(text('app/from-zero'));
  });

  it('R54 passes both outputs on in their order and byte for byte', async () => {
    expect((await build({ buildpacks: ['compile-interleaves'] })).output).toBe('one\ntwo\nthree\n   four, unfinished');
  });

  it('R54 S35 passes on colours, carriage returns and bytes that are no text', async () => {
    const script = `printf '\\033[31mred\\033[0m\\n 10%%\\r100%%\\n       detail\\n\\377\\376\\000'`;
    const { events } = await build({ buildpacks: [buildpack({ compile: script })] });
    const bytes = events.flatMap((event) => (event.type === 'output' ? [event.bytes] : []));
    expect(Buffer.concat(bytes).toString('latin1')).toBe(
      '\u001b[31mred\u001b[0m\n 10%\r100%\n       detail\n\u00ff\u00fe\0',
    );
  });

  it('R54 S35 takes any amount of output', async () => {
    const chatty = buildpack({ compile: 'head -c 30000000 /dev/zero; echo end' });
    let bytes = 0;
    const on = (event: { readonly type: string; readonly bytes?: Uint8Array }) => {
      bytes += event.bytes?.byteLength ?? 0;
    };
    await build({ buildpacks: [chatty], on });
    expect(bytes).toBe(30_000_004);
  });

  it('R55 stops the build at once when it fails: no later buildpack, no release, no image', async () => {
    const later = buildpack({ detect: 'echo later ran >&2', release: 'echo released >&2' });
    const first = buildpack({ compile: 'echo first; exit 7', release: 'echo released >&2' });
    const { error, output, wroteNothing } = await fail({ buildpacks: [first, later] });
    expect([error.code, error.details['status'], output, wroteNothing]).toEqual(['COMPILE_FAILED', 7, 'first\n', true]);
  });

  it('R56 may add, change and delete anything: the whole resulting tree is the app', async () => {
    const script =
      'rm -r "$1/gone" && echo new > "$1/changed" && mkdir "$1/.heroku" "$1/vendor" && echo x > "$1/vendor/x"';
    const { paths, text } = await build({
      files: { 'gone/file': '', changed: 'old', kept: 'kept' },
      buildpacks: [buildpack({ compile: script })],
    });
    expect(paths.filter((path) => path.startsWith('app/'))).toEqual([
      'app/.heroku',
      'app/changed',
      'app/kept',
      'app/vendor',
      'app/vendor/x',
    ]);
    expect([text('app/changed'), text('app/kept')]).toEqual(['new\n', 'kept']);
  });

  it('R57 S10 hands no environment to the next buildpack', async () => {
    const { text } = await build({ buildpacks: ['env-leaker', 'show-env'] });
    expect(text('app/env')).not.toContain('LEAKED');
  });

  it('R58 S36 may leave odd modes, which are captured as far as the owner can read, and cleaned up', async () => {
    const more = 'mkdir "$1/d"; echo x > "$1/d/none"; chmod 0 "$1/d/none"; chmod 0111 "$1/d"';
    const { entry, text } = await build({ buildpacks: ['mode-mess', buildpack({ compile: more })] });
    const modes = ['key', 'locked', 'locked/file', 'tool', 'd', 'd/none'].map(
      (path) => entry(`app/${path}`)?.entry.mode,
    );
    expect(modes).toEqual([0o600, 0o555, 0o444, 0o711, 0o511, 0o400]);
    expect([text('app/key'), text('app/d/none')]).toEqual(['key\n', 'x\n']);
  });

  it('R58 S36 may not leave setuid files', async () => {
    const { error, wroteNothing } = await fail({
      buildpacks: [buildpack({ compile: 'echo x > "$1/su"; chmod 4755 "$1/su"' })],
    });
    expect([error.code, wroteNothing]).toEqual(['LAYER_FILE_REFUSED', true]);
    expect(error.message).toContain('/app/su');
  });

  it('R59 S37 may leave absolute links into the base and into /app, which stay as they are', async () => {
    const { entry } = await build({ buildpacks: ['abs-link'] });
    expect(entry('app/cacerts')?.entry).toMatchObject({ type: 'symlink', linkName: '/etc/ssl/certs/java/cacerts' });
    expect(entry('app/tool')?.entry).toMatchObject({ type: 'symlink', linkName: '/app/bin/tool' });
  });

  it('R59 S37 is told of links into BUILD_DIR, which lead nowhere at run time', async () => {
    const { entry, notices } = await build({
      buildpacks: [buildpack({ compile: 'echo x > "$1/x"; ln -s "$1/x" "$1/a"' })],
    });
    expect(entry('app/a')?.entry.linkName).toBe('/tmp/build_app/x');
    expect(notices.map(({ message }) => message).join()).toContain('/tmp/build_app/x');
  });
});

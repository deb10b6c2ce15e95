import { describe, expect, it } from '@jest/globals';
import { LAYER_MTIME } from '../../../src/archive/tar-header.js';
import { buildpack, useProduct } from '../../support/product.js';

const { build, run } = useProduct();

describe('the captured app', () => {
  it('R93 is BUILD_DIR at /app, owned by the user that the image runs as', async () => {
    const { entry, layers, result } = await build({ files: { 'a/b': 'x' }, buildpacks: ['detects-always'] });
    expect(entry('app')?.entry).toMatchObject({ type: 'directory', mode: 0o755, uid: 1000, gid: 1000 });
    expect(entry('app/a/b')?.content.toString()).toBe('x');
    const inApp = layers.flatMap(({ entries }) => entries.filter(({ entry: { path } }) => /^app(\/|$)/.test(path)));
    expect(inApp.filter(({ entry: { uid, gid } }) => uid !== 1000 || gid !== 1000)).toEqual([]);
    expect(result.image.config.value.config?.User).toBe('1000:1000');
  });

  it('R93 is writable at run time', async () => {
    const files = { 'config/x': 'old\n', Procfile: 'web: echo new > config/x && touch config/y && cat config/x\n' };
    const { place } = await build({ files, buildpacks: ['detects-always'] });
    expect(await run(place)).toMatchObject({ code: 0, stdout: 'new\n' });
    expect(await run(place, { args: ['cat', 'config/x'] })).toMatchObject({ stdout: 'old\n' });
  });

  it('R94 BP-12 leaves out nothing but pipes, sockets and devices, which it tells of', async () => {
    const files = {
      Procfile: 'web: x\n',
      'app.json': '{}',
      Aptfile: '',
      '.profile.d/x.sh': '',
      '.env': 'A=1',
      '.DS_Store': '',
    };
    const { paths, notices } = await build({ files, buildpacks: ['writes-socket'] });
    for (const path of Object.keys(files)) expect(paths).toContain(`app/${path}`);
    expect(paths).not.toContain('app/pipe');
    expect(notices).toContainEqual(
      expect.objectContaining({ code: 'LAYER_FILE_SKIPPED', message: expect.stringContaining('/app/pipe') }),
    );
  });

  it('R95 has one time, one order, verbatim modes and links, and names of any length in UTF-8', async () => {
    const deep = `${'d'.repeat(120)}/${'e'.repeat(120)}/ünï-😀`;
    const script = 'echo x > "$1/f"; chmod 0640 "$1/f"; touch -d @1000000000 "$1/f"; ln -s "../x y" "$1/l"';
    const { entry, layers } = await build({
      files: { [deep]: 'deep', z: '', a: '' },
      buildpacks: [buildpack({ compile: script })],
    });
    expect(entry(`app/${deep}`)?.content.toString()).toBe('deep');
    expect(entry('app/f')?.entry.mode).toBe(0o640);
    expect(entry('app/l')?.entry.linkName).toBe('../x y');
    for (const { entries } of layers) {
      expect(new Set(entries.map(({ mtime }) => mtime))).toEqual(new Set([LAYER_MTIME]));
      const names = entries.map(({ entry: { path } }) => path);
      expect(names).toEqual([...names].sort((one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two))));
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('R95 is the same from one build to the next', async () => {
    const slow = buildpack({ compile: 'date +%N > /tmp/x; for n in c a b; do echo "$n" > "$1/$n"; done; sleep 0.01' });
    const spec = { files: { x: 'y' }, buildpacks: [slow] };
    expect((await build(spec)).result.digest).toBe((await build(spec)).result.digest);
  });

  it('R96 was made with a constant SOURCE_DATE_EPOCH', async () => {
    const { text } = await build({ buildpacks: [buildpack({ compile: 'echo "$SOURCE_DATE_EPOCH" > "$1/epoch"' })] });
    expect(text('app/epoch')).toBe(`${LAYER_MTIME}\n`);
  });
});

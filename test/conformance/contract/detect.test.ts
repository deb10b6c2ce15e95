import { describe, expect, it } from '@jest/globals';
import { buildpack, fixture, useProduct } from '../../support/product.js';

const { build, fail } = useProduct();

describe('bin/detect', () => {
  it('R47 gets BUILD_DIR alone, in the directory of its buildpack', async () => {
    const says = buildpack({ detect: 'echo "$# $1 $(pwd)" >&2; echo x' });
    expect((await build({ buildpacks: [says] })).output).toBe('1 /tmp/build_app /tmp/buildpacks/1\n');
  });

  it.each(['detect-rc1', 'detect-rc2', 'detects-never'])('R48 S2 takes any exit but 0 for a no: %s', async (name) => {
    const { error, wroteNothing } = await fail({ buildpacks: [name] });
    expect([error.code, error.message, wroteNothing]).toEqual([
      'DETECT_REFUSED',
      `the app is not compatible with buildpack ${fixture(name)}`,
      true,
    ]);
  });

  it('R48 S2 takes exit 100 and a name for a no as well', async () => {
    const old = buildpack({ detect: 'echo Looks fine; exit 100' });
    expect((await fail({ buildpacks: [old] })).error.code).toBe('DETECT_REFUSED');
  });

  it.each([
    ['detect-signal', 'SIGKILL'],
    ['detect-crashes', 'SIGSEGV'],
  ])('R48 BP-7 reports the death of %s by a signal as a crash', async (name, signal) => {
    const { error } = await fail({ buildpacks: [name] });
    expect(error.code).toBe('DETECT_CRASHED');
    expect(error.message).toContain(signal);
  });

  it.each([
    ['detect-multiline', '-----> First line app detected'],
    ['detect-noname', `-----> ${fixture('detect-noname')} app detected`],
  ])('R49 S1 S2 BP-7 shows the first line of %s, or the reference', async (name, line) => {
    expect((await build({ buildpacks: [name] })).lines).toContain(line);
  });

  it('R50 S1 shows stderr', async () => {
    expect((await fail({ buildpacks: ['detect-rc1'] })).output).toBe('no package.json\n');
  });

  it('R51 refuses the build when one of the list does not apply, with what it said', async () => {
    const { error, wroteNothing } = await fail({ buildpacks: ['detects-always', 'detect-rc1', 'detects-always'] });
    expect([error.code, wroteNothing]).toEqual(['DETECT_REFUSED', true]);
    expect(error.message).toContain('detect-rc1');
    expect(error.why).toContain('no package.json');
  });

  it('R52 S40 runs after the compile of the buildpack before', async () => {
    const makes = buildpack({ compile: 'echo {} > "$1/package.json"' });
    const needs = buildpack({ detect: 'test -e "$1/package.json" && echo Needs' });
    expect((await build({ buildpacks: [makes, needs] })).result.app.buildpacks[1]?.name).toBe('Needs');
    expect((await fail({ buildpacks: [needs, makes] })).error.code).toBe('DETECT_REFUSED');
  });

  it('R52 uses the first bundled buildpack that applies, and only that one, when nobody names any', async () => {
    const { result } = await build({ files: { Procfile: 'web: bin/web\n', 'bin/web': '' } });
    expect(result.app.buildpacks.map(({ id }) => id)).toEqual(['procfile']);
  });

  it('R52 says what each bundled buildpack found missing when none applies', async () => {
    const { error, wroteNothing } = await fail({ files: { x: '' } });
    expect([error.code, wroteNothing]).toEqual(['DETECT_NONE_MATCHED', true]);
    for (const name of ['nodejs', 'python', 'go', 'procfile']) expect(error.why).toContain(name);
  });

  it('R52 cannot write to BUILD_DIR', async () => {
    const writes = buildpack({ detect: 'touch "$1/from-detect" 2>/dev/null; echo x' });
    expect((await build({ buildpacks: [writes] })).paths).not.toContain('app/from-detect');
  });
});

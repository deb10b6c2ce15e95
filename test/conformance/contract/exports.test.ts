import { describe, expect, it } from '@jest/globals';
import { buildpack, fixture, useProduct } from '../../support/product.js';

const { build, fail, run } = useProduct();

/** A buildpack that writes this text to its export file. */
function exporting(text: string) {
  return buildpack({ compile: 'cp "$(dirname "$0")/../text" "$(dirname "$0")/../export"' }, { text });
}

async function envAfter(...buildpacks: Parameters<typeof build>[0]['buildpacks'] & object) {
  const { text } = await build({ buildpacks: [...buildpacks, 'show-env'] });
  const records = text('app/env').split('\0').filter(Boolean);
  return Object.fromEntries(
    records.map((record) => [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)]),
  );
}

describe('the export file', () => {
  it('R60 R61 S7 is a bash program, read at top level: declare -x, loops and arrays count', async () => {
    const arrays = exporting('list=(a b c)\nexport FROM_LIST="$' + '{list[1]}"\nexport DEFAULTED="$' + '{NONE:-x}"\n');
    expect(await envAfter('export-declare', arrays)).toMatchObject({
      PATH: '/tmp/build_app/bin:/usr/local/bin:/usr/bin:/bin',
      FROM_ONE: 'ONE',
      FROM_TWO: 'TWO',
      FROM_LIST: 'b',
      DEFAULTED: 'x',
    });
  });

  it('R62 S7 may end in a false test and use names that nobody sets', async () => {
    expect(await envAfter('export-false')).toMatchObject({ FROM_FALSE: 'kept' });
  });

  it.each(['export-exit', 'export-syntax'])('R62 S7 must not end the shell: %s', async (name) => {
    const { error, wroteNothing } = await fail({ buildpacks: [name, 'show-env'] });
    expect([error.code, wroteNothing]).toEqual(['EXPORT_INVALID', true]);
    expect(error.message).toContain(fixture(name));
  });

  it('R63 adds up over all earlier buildpacks in their order, over the same environment', async () => {
    const env = await envAfter(
      exporting('export ORDER="$ORDER"a BOTH=first\n'),
      exporting('export ORDER="$ORDER"b BOTH=second WHERE="$(pwd)"\nlocal_only=1\n'),
    );
    expect(env).toMatchObject({ ORDER: 'ab', BOTH: 'second', WHERE: '/tmp/buildpacks/3' });
    expect(env).not.toHaveProperty('local_only');
  });

  it('R64 S8 keeps line feeds, empty elements of lists, and nothing of the shell itself', async () => {
    const env = await envAfter('export-multiline', exporting('export LD_LIBRARY_PATH="/tmp/build_app/.apt/lib:"\n'));
    expect(env).toMatchObject({ LINES_OF_TEXT: 'one\ntwo\n', LD_LIBRARY_PATH: '/tmp/build_app/.apt/lib:' });
    expect(env).not.toHaveProperty('OLDPWD');
  });

  it('R65 is in force for detect and compile of later buildpacks, not for release and report', async () => {
    const say = 'echo "exported=$EXPORTED" >&2';
    const shows = { detect: `${say}; echo x`, compile: say, release: say, report: 'echo "exported: <$EXPORTED>"' };
    const { output, result } = await build({ buildpacks: [exporting('export EXPORTED=1\n'), buildpack(shows)] });
    expect(output.match(/exported=.*/g)).toEqual(['exported=1', 'exported=1', 'exported=']);
    expect(Object.values(result.reports)).toEqual([{ exported: '<>' }]);
  });

  it('R66 never reaches the image', async () => {
    const { result, paths, place } = await build({ buildpacks: [exporting('export EXPORTED=1 PATH="/x:$PATH"\n')] });
    const { config } = result.image.config.value;
    expect(config?.Env).toEqual(['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/app']);
    expect(paths.filter((path) => path.includes('export'))).toEqual([]);
    expect((await run(place, { args: ['env'] })).stdout).not.toContain('EXPORTED');
  });

  it('R68 S38 leaves profile scripts of the same name to the last buildpack', async () => {
    const writes = (text: string) =>
      buildpack({ compile: `mkdir -p "$1/.profile.d"; echo '${text}' > "$1/.profile.d/WEB_CONCURRENCY.sh"` });
    const { text, paths } = await build({ buildpacks: [writes('one'), writes('two')] });
    expect(text('app/.profile.d/WEB_CONCURRENCY.sh')).toBe('two\n');
    expect(paths.filter((path) => path.startsWith('app/.profile.d/'))).toHaveLength(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { elfFile } from '../../support/elf.js';
import { buildpack, useProduct } from '../../support/product.js';

const product = useProduct();

/** Leaves what refers to the base in each of the ways that count. */
const referring = buildpack(
  {
    compile: [
      'cp -R "$(dirname "$0")/../files" "$1/bin"',
      'ln -s /etc/passwd "$1/passwd"',
      'ln -s /etc/nothing "$1/nothing"',
      'ln -s /tmp/build_app/x "$1/x"',
    ].join('\n'),
  },
  {
    'files/tool': { text: '#!/usr/bin/only-in-build\n', mode: 0o755 },
    'files/ruby': { text: '#!/usr/bin/ruby\n', mode: 0o755 },
    'files/data': { text: '#!/usr/bin/data\n', mode: 0o644 },
    'files/web': { text: '#!/usr/bin/env node\n', mode: 0o755 },
    'files/env-bash': { text: '#!/usr/bin/env bash\n', mode: 0o755 },
    'files/env-tool': { text: '#!/usr/bin/env tool\n', mode: 0o755 },
    'files/server': { text: elfFile({ needed: ['libpcre.so.3', 'libc.so.6'], machine: machine() }), mode: 0o755 },
  },
);

function machine(): number {
  return process.arch === 'arm64' ? 183 : 62;
}

describe('what an app needs of its base', () => {
  it('R59 R114 R117 stands in the image, as the build base had it', async () => {
    const { result } = await product.build({ buildpacks: [referring], buildBase: 'build' });
    expect(result.app.needs).toEqual({
      paths: ['/bin/bash', '/etc/passwd', '/usr/bin/env', '/usr/bin/only-in-build'],
      libraries: ['libc.so.6'],
      versions: {},
    });
  });

  it('R117 R121 is told where the run base lacks it', async () => {
    const { notices } = await product.build({ buildpacks: [referring], buildBase: 'build' });
    const messages = Object.fromEntries(notices.map(({ code, message }) => [code, message]));
    expect(messages).toMatchObject({
      LIBRARY_MISSING: expect.stringContaining('asks for: `libpcre.so.3` (for `bin/server`).'),
      PATH_MISSING: expect.stringMatching(
        /refer to: `\/usr\/bin\/only-in-build` \(for `bin\/tool`\), `\/usr\/bin\/ruby` \(for `bin\/ruby`\), `node` \(for `bin\/web`\)$/,
      ),
      BUILD_PATH_KEPT: expect.stringContaining('`/tmp/build_app/x` (for `x`)'),
    });
  });

  it('R121 says nothing of an app that needs no more than its base has', async () => {
    const { notices } = await product.build({ buildpacks: [buildpack({ compile: 'ln -s /etc/passwd "$1/p"' })] });
    expect(notices.map(({ code }) => code)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/MISSING|KEPT/)]),
    );
  });

  it('does not depend on the run base', async () => {
    const one = await product.build({ buildpacks: [referring], buildBase: 'build' });
    const two = await product.build({ buildpacks: [referring], buildBase: 'build', base: 'next' });
    expect(two.result.app).toEqual(one.result.app);
  });

  it('R117 refuses a run base without bash before anything is run, and writes nothing', async () => {
    const { error, output, wroteNothing } = await product.fail({
      buildpacks: [buildpack({ compile: 'echo ran' })],
      buildBase: 'build',
      base: 'without-bash',
    });
    expect(error).toMatchObject({ code: 'BASE_UNUSABLE', message: expect.stringContaining('it has no /bin/bash') });
    expect(output).toBe('');
    expect(wroteNothing).toBe(true);
  });
});

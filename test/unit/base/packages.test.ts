import { describe, expect, it } from '@jest/globals';
import { BUILD_PACKAGES, parseInventory, parsePackageNames, RUN_PACKAGES } from '../../../src/base/packages.js';

describe('the package lists', () => {
  it('R44 hold what buildpacks call', () => {
    const essential = ['coreutils', 'findutils', 'sed', 'grep', 'tar', 'gzip', 'dpkg'];
    const offered = [...essential, ...RUN_PACKAGES, ...BUILD_PACKAGES];
    const wanted = 'bash coreutils findutils sed grep gawk tar gzip bzip2 xz-utils zstd jq curl git perl dpkg python3';
    for (const name of `${wanted} file procps ca-certificates util-linux`.split(' ')) expect(offered).toContain(name);
  });

  it('are sorted and name nothing twice', () => {
    const both = [...RUN_PACKAGES, ...BUILD_PACKAGES];
    expect(new Set(both).size).toBe(both.length);
    for (const list of [RUN_PACKAGES, BUILD_PACKAGES]) expect(list).toEqual([...list].sort());
  });
});

describe('parsePackageNames', () => {
  it('takes names with and without a version, sorted, each once', () => {
    expect(parsePackageNames(['libvips42', 'g++', 'curl=7.88.1-10+deb12u5', 'g++'])).toEqual([
      'curl=7.88.1-10+deb12u5',
      'g++',
      'libvips42',
    ]);
  });

  it.each(['', 'Foo', '-oDPkg::Pre-Invoke=id', 'a b', './x.deb', '?essential', 'x=$(id)', 'a'])(
    'refuses %j, which apt could take for something else',
    (name) => {
      expect(() => parsePackageNames([name])).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );
});

describe('parseInventory', () => {
  it('reads the release, the architecture and the packages', () => {
    expect(parseInventory('version\t12.11\nbash\t5.2.15-2+b8\tamd64\ndpkg\t1.21.22\tamd64\n')).toEqual({
      version: '12.11',
      architecture: 'amd64',
      packages: [
        { name: 'bash', version: '5.2.15-2+b8', architecture: 'amd64' },
        { name: 'dpkg', version: '1.21.22', architecture: 'amd64' },
      ],
    });
  });
});

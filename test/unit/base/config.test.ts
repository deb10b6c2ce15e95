import { describe, expect, it } from '@jest/globals';
import { type BaseFacts, baseConfig, packagesDigest } from '../../../src/base/config.js';
import { suiteNamed } from '../../../src/base/suites.js';
import { parseDiffId } from '../../../src/values/digest.js';

const bash = { name: 'bash', version: '5.2', architecture: 'amd64' };
const dpkg = { name: 'dpkg', version: '1.21', architecture: 'amd64' };
const facts: BaseFacts = {
  suite: suiteNamed('debian-12'),
  kind: 'build',
  version: '12.11',
  architecture: 'amd64',
  security: true,
  packages: [bash, dpkg],
  diffIds: ['a', 'b'].map((digit) => parseDiffId(`sha256:${digit.repeat(64)}`)),
};

describe('baseConfig', () => {
  it('R43 runs as 1000:1000', () => {
    expect(baseConfig(facts).config?.User).toBe('1000:1000');
  });

  it('labels the base as what it is, never as a Heroku stack', () => {
    expect(baseConfig(facts).config?.Labels).toEqual({
      'dev.pack-build.base.packages': packagesDigest([bash, dpkg]),
      'dev.pack-build.base.security': 'on',
      'io.buildpacks.base.distro.name': 'debian',
      'io.buildpacks.base.distro.version': '12',
      'io.buildpacks.stack.id': 'debian-12',
      'org.opencontainers.image.title': 'Debian 12 build base',
      'org.opencontainers.image.version': expect.stringMatching(/^12\.11-[0-9a-f]{12}$/),
    });
  });

  it('has one history entry for each layer', () => {
    const { history, rootfs } = baseConfig(facts);
    expect(rootfs.diff_ids).toEqual(facts.diffIds);
    expect(history?.map(({ comment }) => comment)).toEqual(['Debian 12', 'compilers and headers']);
  });

  it('depends on nothing but its facts', () => {
    expect(baseConfig({ ...facts, packages: [dpkg, bash] })).toEqual(baseConfig(facts));
    expect(baseConfig(facts).created).toBe('1980-01-01T00:00:01Z');
  });

  it.each([
    ['arm64', { os: 'linux', architecture: 'arm64' }],
    ['armhf', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['ppc64el', { os: 'linux', architecture: 'ppc64le' }],
  ])("names Debian's %s as the OCI does", (architecture, platform) => {
    expect(baseConfig({ ...facts, architecture })).toMatchObject(platform);
  });

  it('refuses an architecture that has no name', () => {
    expect(() => baseConfig({ ...facts, architecture: 'hurd-i386' })).toThrow(
      expect.objectContaining({ code: 'BASE_CREATE_FAILED' }),
    );
  });
});

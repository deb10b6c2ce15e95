import { describe, expect, it } from '@jest/globals';
import { hookEnvironment } from '../../../src/base/hooks.js';
import { accessLines } from '../../../src/base/host-apt.js';
import { mmdebstrapArguments } from '../../../src/base/mmdebstrap.js';
import { suiteNamed } from '../../../src/base/suites.js';

const settings = {
  workDir: '/work',
  mtime: 1,
  security: true,
  include: ['imagemagick'],
  buildPackages: ['git'],
  aptAccess: ['Acquire::http::Proxy "http://user:secret@proxy:1";'],
};
const run = { suite: suiteNamed('debian-12'), mirrors: [], settings, debs: undefined };

describe('mmdebstrapArguments', () => {
  it('installs what the user asked for in the run tree, so that both images have it', () => {
    expect(mmdebstrapArguments(run).find((argument) => argument.startsWith('--include='))).toMatch(/,imagemagick$/);
  });

  it('takes the run tree before the build packages are installed', () => {
    const hooks = mmdebstrapArguments(run).filter((argument) => argument.startsWith('--customize-hook='));
    const order = ['/run', 'install $PACK_BUILD_BUILD_PACKAGES', '/build'];
    const places = order.map((text) => hooks.findIndex((hook) => hook.includes(text)));
    expect(places).toEqual([...places].sort());
    expect(places).not.toContain(-1);
  });

  it('takes one tree only when there are no build packages', () => {
    const args = mmdebstrapArguments({ ...run, settings: { ...settings, buildPackages: [] } });
    expect(args.filter((argument) => argument.includes('tar --file'))).toHaveLength(1);
  });

  it('leaves the choice of mirrors to mmdebstrap when the host knows none', () => {
    expect(mmdebstrapArguments(run).slice(-2)).toEqual(['bookworm', '/dev/null']);
    expect(mmdebstrapArguments({ ...run, mirrors: ['deb a b main', 'deb a c main'] }).at(-1)).toBe(
      'deb a b main\ndeb a c main',
    );
  });

  it('shows no secret in the process list', () => {
    expect(mmdebstrapArguments(run).join('\n')).not.toContain('secret');
    expect(hookEnvironment(settings)['PACK_BUILD_APT_ACCESS']).toContain('secret');
  });

  it('quotes directories as mmdebstrap splits words', () => {
    const args = mmdebstrapArguments({ ...run, debs: { kept: "/it's here", fetched: '/f' } });
    expect(args).toContain("--setup-hook=sync-in '/it'\\''s here' /var/cache/apt/archives");
  });
});

describe('accessLines', () => {
  it('takes over how the host reaches its mirrors, and nothing else', () => {
    const dump = 'Acquire "";\nAcquire::http "";\nAcquire::http::Proxy "http://p:1/";\nAcquire::Languages "en";\n';
    expect(accessLines(dump)).toEqual(['Acquire::http::Proxy "http://p:1/";']);
  });
});

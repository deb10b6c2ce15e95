import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import type { Files } from '../support/product.js';

const cli = useCli();

/** Sizes of layers depend on the machine's programs and on the compressor. */
const told = (text: string) =>
  cli
    .plain(text)
    .replaceAll(/ +\d+\.\d MB/g, ' N MB')
    .replaceAll('arm64', 'amd64');

async function build(place: (directory: string) => string): Promise<string> {
  const app = await cli.directory({ Procfile: 'web: sleep 1\nworker: sleep 2\n' });
  const to = place(app);
  await cli.run(['build', app, '--base', cli.base(), '--build-base', cli.base('build'), '--to', to]);
  return to;
}

const OURS = `digest      sha256:DIGEST
platform    linux/amd64
created     1980-01-01T00:00:01Z
base        run sha256:DIGEST
build base  build sha256:DIGEST
stack       debian-12
buildpack   Procfile (procfile sha256:DIGEST)
process     web: sleep 1   (default)
process     worker: sleep 2
env         HOME=/app
layer       sha256:DIGEST N MB  base
layer       sha256:DIGEST N MB  launcher
layer       sha256:DIGEST N MB  process table
layer       sha256:DIGEST N MB  source
`;

describe('pack-build inspect', () => {
  it.each([
    ['directory', { 'shop/oci-layout': '{}' }, 'oci:shop'],
    ['file', { shop: '' }, 'oci-archive:shop or docker-archive:shop'],
  ])('asks no registry for a bare name that a %s has too', async (kind, files, ours) => {
    const cwd = await cli.directory(files as Files);
    expect(await cli.run(['inspect', 'shop'], { cwd })).toMatchObject({
      status: 2,
      stdout: '',
      stderr: [
        'error REFERENCE_INVALID: it is not clear which image shop is',
        `  why:  a name without a prefix is one in a registry, and there is a ${kind} of that name here`,
        `  fix:  write ${ours} for the ${kind}, or docker://shop for the registry`,
        '',
      ].join('\n'),
    });
  });

  for (const kind of ['oci', 'oci-archive', 'docker-archive']) {
    it(`tells what an image at ${kind}: is made of`, async () => {
      const place = await build((directory) => `${kind}:${directory}.image`);
      const { status, stdout, stderr } = await cli.run(['inspect', place]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(told(stdout)).toBe(OURS);
    });
  }

  it('tells of another image what there is to tell', async () => {
    const { status, stdout, stderr } = await cli.run(['inspect', cli.base('next')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(told(stdout)).toBe(
      [
        'digest      sha256:DIGEST',
        'platform    linux/amd64',
        'layers      2',
        'not an image of pack-build: the image was not made by pack-build: it has no label dev.pack-build.app',
        '',
      ].join('\n'),
    );
  });

  it('--json has the whole config, the app and the base', async () => {
    const place = await build((directory) => `oci:${directory}.image:tag`);
    const { stdout } = await cli.run(['inspect', place, '--json']);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual([
      'type',
      'digest',
      'name',
      'index',
      'platform',
      'size',
      'mediaType',
      'annotations',
      'layers',
      'config',
      'app',
      'base',
      'notOurs',
    ]);
    expect(result).toMatchObject({
      type: 'result',
      name: 'tag',
      index: null,
      notOurs: null,
      config: { config: { User: '1000:1000', WorkingDir: '/app', StopSignal: 'SIGTERM', Cmd: ['web'] } },
      app: { processes: { web: 'sleep 1', worker: 'sleep 2' } },
      base: { name: 'run' },
    });
    expect(result.layers).toHaveLength(4);
  });

  it('says what is not there', async () => {
    const { status, stdout, stderr } = await cli.run(['inspect', 'oci:nowhere:v1']);
    expect({ status, stdout }).toEqual({ status: 50, stdout: '' });
    expect(stderr).toBe(
      'error IMAGE_NOT_FOUND: oci:nowhere:v1 is not there\n  why:  there is no directory nowhere\n  fix:  check the path\n',
    );
  });
});

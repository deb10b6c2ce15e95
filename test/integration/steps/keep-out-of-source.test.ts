import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { keepOutOfSource } from '../../../src/steps/keep-out-of-source.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { parsePlace } from '../../../src/values/place.js';

/** An app that a link leads to, with a `.slugignore`. */
const inApp = (work: (dir: string) => Promise<void>) =>
  withTempDir('source', undefined, async (temp) => {
    const dir = await realpath(temp);
    await mkdir(join(dir, 'shop'));
    await writeFile(join(dir, 'shop/.slugignore'), '/out\n*.tar\n');
    await symlink('shop', join(dir, 'link'));
    await work(dir);
  });

const check = (dir: string, places: readonly string[]) =>
  keepOutOfSource(
    places.map((place) => parsePlace(place.replace('DIR', dir))),
    join(dir, 'shop'),
  );

describe('keepOutOfSource', () => {
  it.each([
    'oci:DIR/shop/image:v1',
    'oci:DIR/shop',
    'oci:DIR/shop/deep/below/image',
    'oci:DIR/link/image:v1',
    'oci-archive:DIR/shop/image.oci',
    'docker-archive:DIR/shop/x:shop:1',
    'oci:DIR/shop/.pack-builder/image',
    'oci:DIR/shop/..image',
  ])('refuses %s', (place) =>
    inApp(async (dir) => {
      await expect(check(dir, ['oci:DIR/beside:v1', place])).rejects.toMatchObject({
        code: 'PLACE_IN_SOURCE',
        message: `the image cannot be written to ${place.replace('DIR', dir)}, which lies in the app's directory`,
        fix: expect.stringMatching(new RegExp(`such as ${place.split(':')[0]}:\\.pack-build/`)),
      });
    }),
  );

  it('is content with what no build takes along', () =>
    inApp(async (dir) => {
      const below = ['oci:DIR/shop/.pack-build/image:v1', 'oci:DIR/shop/out/image', 'docker-archive:DIR/shop/x.tar'];
      await check(dir, ['oci:DIR/shop-image:v1', 'oci:DIR:v1', 'docker://example.org/shop', ...below]);
    }));
});

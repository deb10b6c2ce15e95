import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseTargets } from '../../../src/steps/put-image.js';
import { withTempDir } from '../../../src/system/tempdir.js';

const inTemp = (work: (dir: string) => Promise<void>) => withTempDir('targets', undefined, work);

describe('parseTargets', () => {
  it('reads places and makes none of them', () =>
    inTemp(async (dir) => {
      const places = await parseTargets([`oci:${dir}/images:v1`, `docker-archive:${dir}/out/shop.tar:shop:1`], {});
      expect(places.map(({ kind }) => kind)).toEqual(['oci', 'docker-archive']);
      expect(readdirSync(dir)).toEqual([]);
    }));

  it('refuses all places when one of several cannot be written to', () =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'precious.txt'), 'precious');
      const texts = [`oci:${dir}/images:v1`, `docker-archive:${dir}/precious.txt`];
      await expect(parseTargets(texts, {})).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
      expect(existsSync(join(dir, 'images'))).toBe(false);
    }));
});

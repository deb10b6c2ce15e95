import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { openTarget } from '../../../src/layout/places.js';
import { digestOfImage } from '../../../src/oci/image.js';
import { baseRelease } from '../../../src/steps/base-release.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { parsePlace } from '../../../src/values/place.js';
import { storedImage } from '../../support/image.js';

const platform = (architecture: string) => ({ os: 'linux', architecture });

describe('one release of a base', () => {
  it('is taken from a layout that has an entry for each platform under one tag', () =>
    withTempDir('release', undefined, async (dir) => {
      const store = memoryStore();
      const images = await Promise.all(['amd64', 'arm64'].map((name) => storedImage(store, [name], name)));
      for (const [at, image] of images.entries()) await openTarget(parsePlace(`oci:${dir}/l:${at}`)).put(image, store);
      const file = join(dir, 'l', 'index.json');
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace(/("org\.opencontainers\.image\.ref\.name": *)"[01]"/g, '$1"run"'));
      const options = { store: memoryStore(), on: () => undefined, registries: undefined };
      const release = baseRelease(`oci:${dir}/l:run`, options);
      const found = [await release(platform('amd64')), await release(platform('arm64'))];
      expect(found.map(({ base }) => [digestOfImage(base.image), base.name])).toEqual(
        images.map((image) => [digestOfImage(image), 'run']),
      );
      await expect(release(platform('s390x'))).rejects.toMatchObject({ code: 'BASE_NOT_FOUND' });
    }));
});

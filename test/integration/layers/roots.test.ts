import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { gzip } from '../../../src/archive/gzip.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import type { LayerOfImage } from '../../../src/layers/open-layer.js';
import { unpackedRoot } from '../../../src/layers/roots.js';
import { OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { directory, file, layer, type Part, symlink } from '../../support/layer-tar.js';

async function stored(store: BlobStore, ...parts: readonly Part[]): Promise<LayerOfImage> {
  const { diffId, tar } = await layer(...parts);
  return { diffId, descriptor: { mediaType: OCI_LAYER_GZIP, ...(await store.ingest(gzip(tar()))) } };
}

const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('roots', undefined, work);

describe('unpackedRoot', () => {
  it('unpacks a base once', () =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const layers = [await stored(blobs, file('a', '1')), await stored(blobs, file('b', '2'))];
      const first = await unpackedRoot({ directory: dir, layers, blobs });
      const second = await unpackedRoot({ directory: dir, layers, blobs });
      expect(first.cached).toBe(false);
      expect(second).toEqual({ path: first.path, cached: true });
      expect(readFileSync(join(first.path, 'b'), 'utf8')).toBe('2');
    }));

  it('FLT-7 unpacks it once for two who need it at the same time', () =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const layers = [await stored(blobs, file('a', '1'))];
      const results = await Promise.all([1, 2, 3].map(() => unpackedRoot({ directory: dir, layers, blobs })));
      expect(results.filter(({ cached }) => !cached)).toHaveLength(1);
      expect(new Set(results.map(({ path }) => path)).size).toBe(1);
      const root = basename(results[0]?.path as string);
      expect(readdirSync(dir).sort()).toEqual([root, `${root}.complete`]);
    }));

  it.each([
    ['has lost what was in it', (path: string) => rmSync(join(path, 'usr'), { recursive: true })],
    ['was never complete', (path: string) => rmSync(`${path}.complete`)],
  ])('unpacks again a root that %s', (_, damage) =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const layers = [await stored(blobs, file('usr/bin/a', '1'))];
      const { path } = await unpackedRoot({ directory: dir, layers, blobs });
      damage(path);
      expect(await unpackedRoot({ directory: dir, layers, blobs })).toEqual({ path, cached: false });
      expect(readFileSync(join(path, 'usr/bin/a'), 'utf8')).toBe('1');
      expect(await unpackedRoot({ directory: dir, layers, blobs })).toEqual({ path, cached: true });
    }),
  );

  it('leaves nothing when a layer cannot be read', () =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const good = await stored(blobs, file('a', '1'));
      const layers = [good, { ...good, diffId: (await layer(file('b'))).diffId }];
      await expect(unpackedRoot({ directory: dir, layers, blobs })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
      expect(readdirSync(dir)).toEqual([]);
    }));

  it('has true directories and files where a sandbox mounts', () =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const layers = [
        await stored(
          blobs,
          directory('', 0o555),
          directory('etc'),
          symlink('etc/resolv.conf', '../run/resolv.conf'),
          symlink('tmp', 'var/tmp'),
          directory('app'),
        ),
      ];
      const { path } = await unpackedRoot({ directory: dir, layers, blobs });
      for (const name of ['app', 'dev', 'pack-build', 'proc', 'tmp'])
        expect(lstatSync(join(path, name)).isDirectory()).toBe(true);
      for (const name of ['hosts', 'resolv.conf', 'ssl/certs/ca-certificates.crt']) {
        expect(lstatSync(join(path, 'etc', name)).isFile()).toBe(true);
      }
      expect(lstatSync(join(path, 'tmp')).mode & 0o7777).toBe(0o1777);
    }));

  it('R43 gives the user and group 1000 a name where they have none', () =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const passwd = 'root:x:0:0::/root:/bin/sh\napp:x:33:33::/:/bin/false';
      const layers = [await stored(blobs, file('etc/passwd', passwd), file('etc/group', 'heroku:x:1000:\n'))];
      const { path } = await unpackedRoot({ directory: dir, layers, blobs });
      expect(readFileSync(join(path, 'etc/passwd'), 'utf8')).toBe(`${passwd}\napp-user:x:1000:1000::/app:/bin/bash\n`);
      expect(readFileSync(join(path, 'etc/group'), 'utf8')).toBe('heroku:x:1000:\n');
    }));

  it.each([
    ['a link at /app', [symlink('app', 'srv')]],
    ['files in /app', [file('app/x')]],
    ['a file at /pack-build', [file('pack-build')]],
  ])('refuses a base with %s', (_, parts) =>
    inTemp(async (dir) => {
      const blobs = memoryStore();
      const layers = [await stored(blobs, ...parts)];
      await expect(unpackedRoot({ directory: dir, layers, blobs })).rejects.toMatchObject({
        code: 'BASE_APP_DIRECTORY',
      });
      expect(readdirSync(dir)).toEqual([]);
    }),
  );
});

import { chmodSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { writeTar } from '../../../src/archive/tar-write.js';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import { openSource, openTarget } from '../../../src/layout/places.js';
import { digestOfImage, layersOf } from '../../../src/oci/image.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { parsePlace } from '../../../src/values/place.js';
import { storedImage } from '../../support/image.js';
import { file } from '../../support/layer-tar.js';
import { bytesOf } from '../../support/tar.js';

const amd64 = { os: 'linux', architecture: 'amd64' };

describe.each(['oci-archive', 'docker-archive'])('%s', (kind) => {
  /** An archive, and a store that counts what is put into it. */
  const inStore = (
    work: (given: {
      readonly path: string;
      readonly root: string;
      readonly put: (text: string) => Promise<void>;
      readonly find: () => Promise<{ readonly diffIds: readonly string[]; readonly ingested: number }>;
    }) => Promise<void>,
  ) =>
    withTempDir('notes', undefined, async (dir) => {
      const root = join(dir, 'store');
      const path = join(dir, 'a.tar');
      const place = parsePlace(`${kind}:${path}`);
      let ingested = 0;
      const store = directoryStore(root);
      const counting: BlobStore = {
        ...store,
        ingest: (bytes) => {
          ingested += 1;
          return store.ingest(bytes);
        },
      };
      await work({
        path,
        root,
        put: async (text) => {
          const memory = memoryStore();
          const image = await storedImage(memory, [(await bytesOf(writeTar([file('f', text)]))).toString('latin1')]);
          await openTarget(place).put(image, memory);
        },
        find: async () => {
          ingested = 0;
          const { image, blobs } = await openSource(place, counting).find(amd64);
          for (const { descriptor } of layersOf(image)) for await (const _ of blobs.stream(descriptor));
          expect(digestOfImage(image)).toMatch(/^sha256:/);
          return { diffIds: image.config.value.rootfs.diff_ids, ingested };
        },
      });
    });

  it('is taken apart once, and is the same image when it is recalled', () =>
    inStore(async ({ put, find }) => {
      await put('one');
      const first = await find();
      expect(first.ingested).toBeGreaterThan(0);
      expect(await find()).toEqual({ ...first, ingested: 0 });
    }));

  it('is read anew when it was replaced, and when it was written over with the old times put back', () =>
    inStore(async ({ path, put, find }) => {
      await put('one');
      const one = await find();
      const bytes = readFileSync(path);
      await put('two');
      const two = await find();
      expect(two.diffIds).not.toEqual(one.diffIds);
      expect(bytes.byteLength).toBe(readFileSync(path).byteLength);
      writeFileSync(path, bytes);
      utimesSync(path, 1, 1);
      expect((await find()).diffIds).toEqual(one.diffIds);
      expect((await find()).ingested).toBe(0);
    }));

  it('FLT-8 is read anew when what it became is damaged or gone', () =>
    inStore(async ({ root, put, find }) => {
      await put('one');
      const first = await find();
      for (const name of readdirSync(join(root, 'sha256'))) {
        chmodSync(join(root, 'sha256', name), 0o644);
        writeFileSync(join(root, 'sha256', name), 'damage');
        expect((await find()).diffIds).toEqual(first.diffIds);
      }
      expect((await find()).ingested).toBe(0);
    }));

  it.each(['', '{', '{}', '{"documents":{"x":{"digest":"sha256:1","size":1}},"layers":{},"links":{},"blobs":{}}'])(
    'is read anew when the note of it says %j',
    (text) =>
      inStore(async ({ root, put, find }) => {
        await put('one');
        const first = await find();
        const [note = ''] = readdirSync(join(root, 'notes'));
        expect(note).toMatch(/^[0-9a-f]{64}\.json$/);
        writeFileSync(join(root, 'notes', note), text);
        expect(await find()).toEqual(first);
      }),
  );
});

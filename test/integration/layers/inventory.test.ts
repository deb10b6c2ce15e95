import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gzip } from '../../../src/archive/gzip.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import { readInventory, resolveIn } from '../../../src/layers/inventory.js';
import type { Inventory } from '../../../src/layers/merge.js';
import type { LayerOfImage } from '../../../src/layers/open-layer.js';
import { unpackLayers } from '../../../src/layers/unpack.js';
import { OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { isFailure } from '../../../src/values/error.js';
import { directory, file, layer, link, listing, type Part, symlink } from '../../support/layer-tar.js';
import { anyPart } from '../../support/random-layer.js';

async function stored(store: BlobStore, ...parts: readonly Part[]): Promise<LayerOfImage> {
  const { diffId, tar } = await layer(...parts);
  return { diffId, descriptor: { mediaType: OCI_LAYER_GZIP, ...(await store.ingest(gzip(tar()))) } };
}

async function inventoryOf(...layers: readonly (readonly Part[])[]): Promise<Inventory> {
  const blobs = memoryStore();
  const held: LayerOfImage[] = [];
  for (const parts of layers) held.push(await stored(blobs, ...parts));
  return await readInventory({ layers: held, blobs });
}

/** What an unpacked root looks like, as far as an inventory can know. */
function seen(root: string): string[] {
  return listing(root).map((line) => {
    const path = line.replace(/(\/$| -> .*|=.*)/s, '');
    const stat = lstatSync(join(root, path));
    const type = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file';
    const target = stat.isSymbolicLink() ? readlinkSync(join(root, path)) : '';
    return [path, type, stat.isSymbolicLink() ? 0o777 : stat.mode & 0o7777, target].join(' ');
  });
}

function told(inventory: Inventory): string[] {
  return [...inventory].map(([path, { type, mode, target = '' }]) => [path, type, mode, target].join(' '));
}

async function outcome<T>(work: () => Promise<T>): Promise<T | 'refused'> {
  try {
    return await work();
  } catch (error) {
    if (isFailure(error, 'ARCHIVE_INVALID')) return 'refused';
    throw error;
  }
}

describe('readInventory', () => {
  it('lists what unpacking gives, for any layers', async () => {
    const layers = fc.array(fc.array(anyPart, { maxLength: 8 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(layers, async (given) => {
        const listed = await outcome(async () => told(await inventoryOf(...given)).sort());
        const unpacked = await outcome(() =>
          withTempDir('inventory', undefined, async (dir) => {
            const root = join(dir, 'root');
            mkdirSync(root);
            await unpackLayers(await Promise.all(given.map((parts) => layer(...parts))), root);
            expect(readdirSync(dir)).toEqual(['root']);
            return seen(root).sort();
          }),
        );
        expect(listed).toEqual(unpacked);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['its own path', [[file('a', '1')], [link('a', 'a')]]],
    ['its own path through a link', [[directory('a'), file('a/b', '1'), symlink('c', 'a')], [link('a/b', 'c/b')]]],
    ['a file in the directory that it replaces', [[file('a/b', '1')], [link('a', 'a/b')]]],
    ['a directory', [[directory('a')], [link('b', 'a')]]],
    ['nothing', [[link('b', 'a')]]],
  ])('refuses a hard link to %s, as unpacking does', (_, layers) =>
    withTempDir('inventory', undefined, async (dir) => {
      await expect(inventoryOf(...layers)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
      const tars = await Promise.all(layers.map((parts) => layer(...parts)));
      await expect(unpackLayers(tars, dir)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    }),
  );

  it('reads a list that it made before, and makes a damaged one anew', () =>
    withTempDir('inventory', undefined, async (dir) => {
      const blobs = memoryStore();
      const layers = [await stored(blobs, file('a', '1'), symlink('b', 'a'))];
      const first = await readInventory({ directory: dir, layers, blobs });
      const empty = memoryStore();
      expect([...(await readInventory({ directory: dir, layers, blobs: empty }))]).toEqual([...first]);
      const path = join(dir, readdirSync(dir)[0] as string);
      const sound = readFileSync(path);
      const flipped = [...sound.keys()].map((at) => sound.map((byte, n) => (n === at ? byte ^ 1 : byte)));
      for (const damaged of [...flipped, sound.subarray(0, -1), sound.subarray(1), '', '\n', 'x', '[]']) {
        writeFileSync(path, damaged);
        await expect(readInventory({ directory: dir, layers, blobs: empty })).rejects.toMatchObject({
          code: 'BLOB_NOT_FOUND',
        });
        expect([...(await readInventory({ directory: dir, layers, blobs }))]).toEqual([...first]);
      }
    }));
});

describe('resolveIn', () => {
  it('R117 finds programs through links', async () => {
    const inventory = await inventoryOf(
      [
        directory('usr'),
        directory('usr/bin'),
        file('usr/bin/perl5', '', 0o755),
        link('usr/bin/perl', 'usr/bin/perl5'),
        symlink('bin', 'usr/bin'),
      ],
      [
        symlink('usr/bin/awk', '/etc/alternatives/awk'),
        symlink('etc/alternatives/awk', '../../bin/perl'),
        symlink('loop', 'loop'),
        symlink('gone', 'x'),
      ],
    );
    expect(resolveIn(inventory, '/bin/perl')).toMatchObject({
      path: 'usr/bin/perl',
      entry: { type: 'file', mode: 0o755 },
    });
    expect(resolveIn(inventory, '/usr/bin/awk')?.path).toBe('usr/bin/perl');
    expect(resolveIn(inventory, '/bin/')?.path).toBe('usr/bin');
    for (const path of ['/gone', '/loop', '/nothing', '/usr/bin/perl/x'])
      expect(resolveIn(inventory, path)).toBeUndefined();
  });
});

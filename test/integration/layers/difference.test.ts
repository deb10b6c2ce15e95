import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { writeTar } from '../../../src/archive/tar-write.js';
import { differenceTar, normalisedTar } from '../../../src/layers/difference.js';
import { emptyRoot } from '../../../src/layers/merge.js';
import { unpackLayers } from '../../../src/layers/unpack.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { directory, file, layerOf, link, listing, type Part, special } from '../../support/layer-tar.js';
import { anyTree } from '../../support/random-layer.js';
import { bytesOf, readAll } from '../../support/tar.js';

async function tarFile(dir: string, name: string, parts: readonly Part[]): Promise<string> {
  const path = join(dir, name);
  writeFileSync(path, await bytesOf(writeTar(parts)));
  return path;
}

/** Everything about an image that counts: entries with owners and modes, and contents. */
async function imageOf(dir: string, name: string, tars: readonly Buffer[]) {
  const root = join(dir, name);
  mkdirSync(root);
  await unpackLayers(tars.map(layerOf), root);
  const merged = emptyRoot();
  for (const tar of tars) {
    merged.beginLayer();
    for (const { entry } of await readAll(readTar(layerOf(tar).tar(), LAYER))) merged.add(entry);
  }
  return { entries: [...merged.inventory()], contents: listing(root) };
}

const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('difference', undefined, work);

describe('differenceTar', () => {
  it('gives the layer that turns any tree into any other', async () => {
    await fc.assert(
      fc.asyncProperty(anyTree, anyTree, (lower, upper) =>
        inTemp(async (dir) => {
          const [a, b] = [await tarFile(dir, 'a.tar', lower), await tarFile(dir, 'b.tar', upper)];
          const [base, difference, wanted] = await Promise.all(
            [normalisedTar(a), differenceTar(a, b), normalisedTar(b)].map(bytesOf),
          );
          expect(await imageOf(dir, 'both', [base as Buffer, difference as Buffer])).toEqual(
            await imageOf(dir, 'wanted', [wanted as Buffer]),
          );
        }),
      ),
      { numRuns: 40 },
    );
  });

  it('is empty for equal trees, whatever their order', () =>
    inTemp(async (dir) => {
      const a = await tarFile(dir, 'a.tar', [directory('d'), file('d/x', '1'), file('e', '2')]);
      const b = await tarFile(dir, 'b.tar', [file('e', '2'), directory('d'), file('d/x', '1')]);
      expect((await bytesOf(differenceTar(a, b))).byteLength).toBe(1024);
    }));

  it('has deletions before the rest of their directory', () =>
    inTemp(async (dir) => {
      const a = await tarFile(dir, 'a.tar', [directory('d'), file('d/x', '1'), directory('d/gone'), file('d/gone/y')]);
      const b = await tarFile(dir, 'b.tar', [directory('d'), file('d/+', '2'), file('d/x', '1')]);
      const entries = await readAll(readTar(layerOf(await bytesOf(differenceTar(a, b))).tar(), LAYER));
      expect(entries.map(({ entry }) => entry.path)).toEqual(['d', 'd/.wh.gone', 'd/+']);
    }));
});

describe('normalisedTar', () => {
  it('depends on what the tar holds, not on its order', async () => {
    const shuffled = anyTree.chain((tree) =>
      fc.tuple(fc.constant(tree), fc.shuffledSubarray([...tree], { minLength: tree.length })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, ([tree, other]) =>
        inTemp(async (dir) => {
          const linksLast = [...other].sort(([a], [b]) => Number(a.type === 'link') - Number(b.type === 'link'));
          const [a, b] = [await tarFile(dir, 'a.tar', tree), await tarFile(dir, 'b.tar', linksLast)];
          expect((await bytesOf(normalisedTar(b))).equals(await bytesOf(normalisedTar(a)))).toBe(true);
        }),
      ),
      { numRuns: 40 },
    );
  });

  it('keeps setuid bits, devices, and hard links, whose first name has the bytes', () =>
    inTemp(async (dir) => {
      const tar = await tarFile(dir, 'a.tar', [
        file('z', 'bytes', 0o4755),
        link('a', 'z'),
        special('null', 'character-device'),
      ]);
      const entries = await readAll(readTar(layerOf(await bytesOf(normalisedTar(tar))).tar(), LAYER));
      expect(
        entries.map(({ entry, content }) => [entry.path, entry.type, entry.mode, entry.linkName, content.toString()]),
      ).toEqual([
        ['a', 'file', 0o4755, undefined, 'bytes'],
        ['null', 'character-device', 0o644, undefined, ''],
        ['z', 'link', 0o4755, 'a', ''],
      ]);
    }));
});

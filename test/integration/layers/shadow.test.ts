import { describe, expect, it } from '@jest/globals';
import { gzip } from '../../../src/archive/gzip.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { readInventory } from '../../../src/layers/inventory.js';
import type { LayerOfImage } from '../../../src/layers/open-layer.js';
import { shadowedPaths } from '../../../src/layers/shadow.js';
import { OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { directory, file, layer, type Part, symlink } from '../../support/layer-tar.js';

/** What these layers hide of what differs between two bases. */
async function shadowed(before: readonly Part[], after: readonly Part[], ...over: readonly (readonly Part[])[]) {
  const blobs = memoryStore();
  const stored = async (parts: readonly Part[]): Promise<LayerOfImage> => {
    const { diffId, tar } = await layer(...parts);
    return { diffId, descriptor: { mediaType: OCI_LAYER_GZIP, ...(await blobs.ingest(gzip(tar()))) } };
  };
  const inventory = async (parts: readonly Part[]) => readInventory({ layers: [await stored(parts)], blobs });
  const layers = await Promise.all(over.map(stored));
  const found = await shadowedPaths({ before: await inventory(before), after: await inventory(after), layers, blobs });
  return found.map(({ path, change, by }) => `${path} ${change} ${by}`);
}

const OLD = [file('usr/lib/libssl.so', 'old'), file('etc/conf', 'same'), file('usr/bin/gone', 'x')];
const NEW = [file('usr/lib/libssl.so', 'new'), file('etc/conf', 'same'), file('usr/bin/added', 'x')];

describe('files that an app hides from a patch', () => {
  it('are those that it replaces', async () => {
    expect(await shadowed(OLD, NEW, [file('usr/lib/libssl.so', 'own'), file('etc/conf', 'own')])).toEqual([
      '/usr/lib/libssl.so changed replaced',
    ]);
  });

  it('are those that it deletes, alone or with all of their directory', async () => {
    expect(await shadowed(OLD, NEW, [file('usr/lib/.wh.libssl.so')])).toEqual(['/usr/lib/libssl.so changed deleted']);
    expect(await shadowed(OLD, NEW, [file('usr/.wh..wh..opq')])).toEqual([
      '/usr/bin/added added deleted',
      '/usr/lib/libssl.so changed deleted',
    ]);
    expect(await shadowed(OLD, NEW, [file('.wh.usr')], [file('usr/bin/added', 'own')])).toEqual([
      '/usr/bin/added added replaced',
      '/usr/lib/libssl.so changed deleted',
    ]);
  });

  it('are those that the base no longer has and it brings itself', async () => {
    expect(await shadowed(OLD, NEW, [file('usr/bin/gone', 'x')])).toEqual(['/usr/bin/gone removed replaced']);
  });

  it('are found through links of the base', async () => {
    const link = symlink('lib', 'usr/lib');
    expect(await shadowed([...OLD, link], [...NEW, link], [file('lib/libssl.so', 'own')])).toEqual([
      '/usr/lib/libssl.so changed replaced',
    ]);
  });

  it('are none where the app adds files and directories of its own, or the bases are the same', async () => {
    expect(await shadowed(OLD, NEW, [directory('usr/lib'), file('usr/lib/own', 'own')])).toEqual([]);
    expect(await shadowed(OLD, OLD, [file('usr/lib/libssl.so', 'own')])).toEqual([]);
    expect(await shadowed(OLD, NEW)).toEqual([]);
  });

  it('are told of files whose mode or link alone has changed', async () => {
    const [before, after] = [
      [file('bin/su', 'x', 0o755), symlink('bin/sh', 'dash')],
      [file('bin/su', 'x', 0o700), symlink('bin/sh', 'bash')],
    ];
    expect(await shadowed(before, after, [file('bin/su', 'x', 0o755), symlink('bin/sh', 'dash')])).toEqual([
      '/bin/sh changed replaced',
      '/bin/su changed replaced',
    ]);
  });
});

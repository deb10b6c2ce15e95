import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decompress } from '../../../src/archive/decompress.js';
import { LAYER_MTIME } from '../../../src/archive/tar-header.js';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobStore } from '../../../src/blobs/store.js';
import type { LayerEntry } from '../../../src/layers/entry.js';
import { layerCache } from '../../../src/layers/layer-cache.js';
import { openLayer } from '../../../src/layers/open-layer.js';
import { type PackedLayer, packLayer } from '../../../src/layers/pack.js';
import { readTree } from '../../../src/layers/tree.js';
import { treeEntries } from '../../../src/layers/tree-entries.js';
import { unpackLayers } from '../../../src/layers/unpack.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { listing } from '../../support/layer-tar.js';
import { readAll } from '../../support/tar.js';

const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('pack', undefined, work);
const owned = { mode: 0o644, uid: 1000, gid: 1000 };

/** A file of two buffers, so that it is still being read when the first buffer goes out. */
const LARGE = 2 * 1024 * 1024;

function appTree(dir: string): readonly LayerEntry[] {
  return treeEntries(readTree(dir), { root: dir, at: 'app', uid: 1000, gid: 1000 });
}

async function entriesOf(layer: PackedLayer, store: BlobStore) {
  return await readAll(readTar(decompress(store.stream(layer.descriptor)), LAYER));
}

/** A store that does something when the first bytes of a layer arrive. */
function disturbed(store: BlobStore, act: () => void): BlobStore {
  return {
    ...store,
    ingest: (bytes) =>
      store.ingest(
        (async function* () {
          let done = false;
          for await (const chunk of bytes) {
            if (!done) act();
            done = true;
            yield chunk;
          }
        })(),
      ),
  };
}

describe('packLayer', () => {
  it('R93 R95 gives everything one owner and one time, and keeps modes and links', () =>
    inTemp(async (dir) => {
      mkdirSync(join(dir, 'bin'), { mode: 0o700 });
      writeFileSync(join(dir, 'bin', 'run'), '#!/bin/sh\n', { mode: 0o755 });
      writeFileSync(join(dir, 'key'), 'secret', { mode: 0o600 });
      symlinkSync('/etc/ssl/certs/java/cacerts', join(dir, 'cacerts'));
      chmodSync(dir, 0o755);
      const store = memoryStore();
      const entries = await entriesOf(await packLayer(appTree(dir), { store }), store);
      expect(entries.map(({ entry }) => [entry.path, entry.type, entry.mode, entry.linkName])).toEqual([
        ['app', 'directory', 0o755, undefined],
        ['app/bin', 'directory', 0o700, undefined],
        ['app/bin/run', 'file', 0o755, undefined],
        ['app/cacerts', 'symlink', 0o777, '/etc/ssl/certs/java/cacerts'],
        ['app/key', 'file', 0o600, undefined],
      ]);
      expect(
        entries.every(({ entry, mtime }) => entry.uid === 1000 && entry.gid === 1000 && mtime === LAYER_MTIME),
      ).toBe(true);
    }));

  it('gives back the tree when it is unpacked', () =>
    inTemp(async (dir) => {
      const names = fc.stringMatching(/^[a-zA-Z0-9é日𝄞 ~+-]{1,40}$/u);
      const trees = fc.dictionary(
        names,
        fc.oneof(fc.string({ maxLength: 3000 }), fc.dictionary(names, fc.string(), { maxKeys: 3 })),
        { maxKeys: 5 },
      );
      let count = 0;
      await fc.assert(
        fc.asyncProperty(trees, fc.constantFrom('gzip' as const, 'none' as const), async (tree, compression) => {
          count += 1;
          const [root, target] = [join(dir, `${count}`), join(dir, `${count}-out`)];
          for (const made of [root, target]) mkdirSync(made);
          for (const [name, content] of Object.entries(tree)) {
            if (typeof content === 'string') writeFileSync(join(root, name), content);
            else {
              mkdirSync(join(root, name));
              for (const [inner, text] of Object.entries(content)) writeFileSync(join(root, name, inner), text);
            }
          }
          const store = memoryStore();
          const layer = await packLayer(appTree(root), { store, compression });
          await unpackLayers([openLayer(layer, store)], target);
          expect(listing(join(target, 'app'))).toEqual(listing(root));
        }),
        { numRuns: 40 },
      );
    }));

  it('depends on the entries, not on their order', async () => {
    const entries = ['b', 'a', 'a-b', 'a/x', 'é', '𝄞', '\uffee'].map(
      (path): LayerEntry => ({
        ...owned,
        path,
        type: 'file',
        from: Buffer.from(path),
      }),
    );
    const expected = await packLayer(entries, { store: memoryStore() });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(entries, { minLength: entries.length }), async (shuffled) => {
        expect(await packLayer(shuffled, { store: memoryStore() })).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it('FLT-16 does not depend on the umask', () =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'a'), 'bytes');
      chmodSync(join(dir, 'a'), 0o666);
      const expected = await packLayer(appTree(dir), { store: memoryStore() });
      const before = process.umask(0o077);
      try {
        expect(await packLayer(appTree(dir), { store: memoryStore() })).toEqual(expected);
      } finally {
        process.umask(before);
      }
    }));

  it('has one diffID, compressed or not', async () => {
    const entries: LayerEntry[] = [{ ...owned, path: 'a', type: 'file', from: Buffer.alloc(3 * LARGE, 'x') }];
    const [gzipped, plain] = await Promise.all([
      packLayer(entries, { store: memoryStore() }),
      packLayer(entries, { store: memoryStore(), compression: 'none' }),
    ]);
    expect(gzipped.diffId).toBe(plain.diffId);
    expect(plain.descriptor).toEqual({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: plain.diffId,
      size: plain.size,
    });
    expect(gzipped.descriptor.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
  });

  it('R23 writes every name of a file as a file of its own', () =>
    inTemp(async (dir) => {
      mkdirSync(join(dir, 'app'));
      writeFileSync(join(dir, 'outside'), 'bytes');
      linkSync(join(dir, 'outside'), join(dir, 'app', 'a'));
      linkSync(join(dir, 'outside'), join(dir, 'app', 'b'));
      const store = memoryStore();
      const entries = await entriesOf(await packLayer(appTree(join(dir, 'app')), { store }), store);
      expect(entries.slice(1).map(({ entry, content }) => [entry.path, entry.type, content.toString()])).toEqual([
        ['app/a', 'file', 'bytes'],
        ['app/b', 'file', 'bytes'],
      ]);
    }));

  it('R58 reads files that nobody may read, and lets their owner read them in the image', () =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'closed'), 'bytes', { mode: 0o000 });
      const store = memoryStore();
      const [, closed] = await entriesOf(await packLayer(appTree(dir), { store }), store);
      expect([closed?.entry.mode, closed?.content.toString()]).toEqual([0o400, 'bytes']);
    }));

  it.each([
    ['TAR-27 a name that means a deletion', { path: 'app/.wh.x', mode: 0o644 }],
    ['TAR-27 a name that means an empty directory', { path: 'app/.wh..wh..opq', mode: 0o644 }],
    ['TAR-10 a setuid file', { path: 'app/x', mode: 0o4755 }],
    ['TAR-10 a setgid file', { path: 'app/x', mode: 0o2755 }],
    ['a name that is not Unicode', { path: 'app/\ud800', mode: 0o644 }],
  ])('refuses %s', async (_, entry) => {
    const entries: LayerEntry[] = [{ ...owned, ...entry, type: 'file', from: Buffer.from('') }];
    await expect(packLayer(entries, { store: memoryStore() })).rejects.toMatchObject({
      code: 'LAYER_FILE_REFUSED',
    });
  });
});

describe('a tree that changes while it is packed', () => {
  const changes: readonly (readonly [string, (file: string) => void])[] = [
    ['vanishes', unlinkSync],
    ['grows', (file) => writeFileSync(file, 'more', { flag: 'a' })],
    ['shrinks', (file) => ftruncateSync(openSync(file, 'r+'), 10)],
    [
      'is replaced by a link',
      (file) => {
        unlinkSync(file);
        symlinkSync('/etc/passwd', file);
      },
    ],
    [
      'is replaced by a directory',
      (file) => {
        unlinkSync(file);
        mkdirSync(file);
      },
    ],
  ];

  it.each(changes)('is noticed when a file %s before it is read', (_, change) =>
    inTemp(async (dir) => {
      mkdirSync(join(dir, 'app'));
      for (const name of ['a', 'b', 'c']) writeFileSync(join(dir, 'app', name), Buffer.alloc(LARGE, name));
      const entries = appTree(join(dir, 'app'));
      const store = directoryStore(join(dir, 'blobs'));
      const bad = disturbed(store, () => change(join(dir, 'app', 'c')));
      await expect(packLayer(entries, { store: bad })).rejects.toMatchObject({ code: 'LAYER_TREE_CHANGED' });
      expect(readdirSync(join(dir, 'blobs', 'sha256'))).toEqual([]);
    }),
  );

  it('is noticed when a file grows while it is read', () =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'a'), Buffer.alloc(8 * LARGE, 'a'));
      const handle = openSync(join(dir, 'a'), 'a');
      const store = disturbed(memoryStore(), () => writeSync(handle, 'more'));
      await expect(packLayer(appTree(dir), { store, compression: 'none' })).rejects.toMatchObject({
        code: 'LAYER_TREE_CHANGED',
      });
    }));
});

describe('packLayer with a cache', () => {
  const entries: LayerEntry[] = [{ ...owned, path: 'a', type: 'file', from: Buffer.from('bytes') }];

  /** A store that counts how often it was given something. */
  function counting(store: BlobStore) {
    let count = 0;
    return {
      store: {
        ...store,
        ingest: (bytes: AsyncIterable<Uint8Array>) => {
          count += 1;
          return store.ingest(bytes);
        },
      },
      count: () => count,
    };
  }

  it('reads the files of a new tar once, and those of one that may be known to find that out', () =>
    inTemp(async (dir) => {
      let reads = 0;
      const cache = layerCache(join(dir, 'layers'));
      const counted: typeof cache = {
        ...cache,
        get: (...args) => {
          reads += 1;
          return cache.get(...args);
        },
      };
      const options = { store: directoryStore(join(dir, 'blobs')), cache: counted };
      writeFileSync(join(dir, 'a'), 'hello');
      const unread: LayerEntry[] = [
        { type: 'file', path: 'a', mode: 0o644, uid: 0, gid: 0, from: join(dir, 'a'), size: 5 },
      ];
      const first = await packLayer(unread, options);
      expect(reads).toBe(0);
      expect(await packLayer(unread, options)).toEqual(first);
      expect(reads).toBe(1);
    }));

  it('does not read files whose hashes have made a layer before', () =>
    inTemp(async (dir) => {
      const { store, count } = counting(directoryStore(join(dir, 'blobs')));
      const options = { store, cache: layerCache(join(dir, 'layers')) };
      const file = join(dir, 'a');
      writeFileSync(file, 'hello');
      const hash = createHash('sha256').update('hello').digest('hex');
      const known: LayerEntry = { type: 'file', path: 'a', mode: 0o644, uid: 0, gid: 0, from: file, size: 5, hash };
      const first = await packLayer([known], options);
      rmSync(file);
      expect(await packLayer([known], options)).toEqual(first);
      expect(count()).toBe(1);
      for (const other of [
        { path: 'b' },
        { mode: 0o755 },
        { uid: 1 },
        { gid: 1 },
        { hash: 'f'.repeat(64) },
        { hash: undefined },
      ])
        await expect(packLayer([{ ...known, ...other }], options)).rejects.toMatchObject({
          code: 'LAYER_TREE_CHANGED',
        });
      await expect(packLayer([known], { ...options, compression: 'zstd' })).rejects.toMatchObject({
        code: 'LAYER_TREE_CHANGED',
      });
    }));

  it('FLT-8 does without a note of a content that is not as it was written', () =>
    inTemp(async (dir) => {
      const { store, count } = counting(directoryStore(join(dir, 'blobs')));
      const options = { store, cache: layerCache(join(dir, 'layers')) };
      const first = await packLayer(entries, options);
      const notes = join(dir, 'layers', 'pb-gzip-1');
      const name = readdirSync(notes).find((one) => one.startsWith('content-')) as string;
      const sound = readFileSync(join(notes, name));
      for (const at of sound.keys()) {
        writeFileSync(
          join(notes, name),
          sound.map((byte, n) => (n === at ? byte ^ 1 : byte)),
        );
        expect(await packLayer(entries, options)).toEqual(first);
        expect(readFileSync(join(notes, name)).equals(sound)).toBe(true);
      }
      writeFileSync(join(notes, `content-${'0'.repeat(64)}.json`), sound);
      expect(await options.cache.recall('pb-gzip/1', '0'.repeat(64), store)).toBeUndefined();
      expect(count()).toBe(1);
    }));

  it('does not compress the same tar again', () =>
    inTemp(async (dir) => {
      const { store, count } = counting(directoryStore(join(dir, 'blobs')));
      const options = { store, cache: layerCache(join(dir, 'layers')) };
      const first = await packLayer(entries, options);
      expect(await packLayer(entries, options)).toEqual(first);
      expect(count()).toBe(1);
      expect(await packLayer(entries, { store: memoryStore() })).toEqual(first);
      expect((await packLayer(entries, { ...options, compression: 'none' })).descriptor).not.toEqual(first.descriptor);
    }));

  it.each([
    ['is gone', (file: string) => rmSync(file)],
    ['was cut off', (file: string) => writeFileSync(file, '')],
    [
      'was changed',
      (file: string) => {
        chmodSync(file, 0o644);
        const handle = openSync(file, 'r+');
        writeSync(handle, 'X', 20);
      },
    ],
    [
      'is a link',
      (file: string) => {
        rmSync(file);
        symlinkSync('/etc/passwd', file);
      },
    ],
  ])('FLT-8 makes a blob anew that %s', (_, damage) =>
    inTemp(async (dir) => {
      const blobs = join(dir, 'blobs');
      const options = { store: directoryStore(blobs), cache: layerCache(join(dir, 'layers')) };
      const first = await packLayer(entries, options);
      damage(join(blobs, 'sha256', first.descriptor.digest.slice('sha256:'.length)));
      expect(await packLayer(entries, options)).toEqual(first);
      expect(await entriesOf(first, options.store)).toHaveLength(1);
    }),
  );

  it('FLT-8 does without a note that cannot be read', () =>
    inTemp(async (dir) => {
      const options = { store: directoryStore(join(dir, 'blobs')), cache: layerCache(join(dir, 'layers')) };
      const first = await packLayer(entries, options);
      const notes = join(dir, 'layers', 'pb-gzip-1');
      writeFileSync(join(notes, readdirSync(notes)[0] as string), '{"digest":"../../x"}');
      expect(await packLayer(entries, options)).toEqual(first);
    }));

  it('FLT-8 does without a note of another layer', () =>
    inTemp(async (dir) => {
      const options = { store: directoryStore(join(dir, 'blobs')), cache: layerCache(join(dir, 'layers')) };
      const first = await packLayer(entries, options);
      const notes = join(dir, 'layers', 'pb-gzip-1');
      const [note] = readdirSync(notes) as [string];
      await packLayer([], options);
      const other = readdirSync(notes).find((name) => name !== note) as string;
      copyFileSync(join(notes, other), join(notes, note));
      expect(await packLayer(entries, options)).toEqual(first);
    }));
});

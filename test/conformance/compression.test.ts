import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../src/blobs/memory-store.js';
import type { LayerEntry } from '../../src/layers/entry.js';
import { packLayer } from '../../src/layers/pack.js';
import type { Compression } from '../../src/values/compression.js';

/** A tree of 2.7 MB: texts, data that hardly shrinks, a long name, a link. */
function tree(): readonly LayerEntry[] {
  const owned = { uid: 1000, gid: 1000 } as const;
  const text = (n: number) => Buffer.from(`exports.answer${n} = ${n * n};\n`.repeat(n % 90));
  const noise = (n: number) =>
    Buffer.concat(Array.from({ length: 2000 }, (_, at) => createHash('sha256').update(`${n} ${at}`).digest()));
  const file = (path: string, from: Buffer): LayerEntry => ({ ...owned, type: 'file', path, mode: 0o644, from });
  return [
    { ...owned, type: 'directory', path: 'app', mode: 0o755 },
    ...Array.from({ length: 500 }, (_, n) => file(`app/${n}.js`, text(n))),
    ...Array.from({ length: 30 }, (_, n) => file(`app/${n}.bin`, noise(n))),
    file(`app/${'ä'.repeat(120)}`, text(1)),
    { ...owned, type: 'symlink', path: 'app/link', mode: 0o777, target: '0.js' },
  ];
}

const DIFF_ID = 'sha256:57d91cdfe33fd6f2eb4e396b4c6f7c3a68c1666bad06881dd2eb7b3ba5e684e4';

describe('a layer of the same files', () => {
  // Pinned for every release of Node that this runs on: to change one is to change the digests of all users.
  it.each([
    ['gzip', 'sha256:67ef8030c834ce7cec2b724cbb34f33387ddcc5b8ba13cc168d29b39beb415bc'],
    ['gzip:4', 'sha256:67ef8030c834ce7cec2b724cbb34f33387ddcc5b8ba13cc168d29b39beb415bc'],
    ['gzip:6', 'sha256:6b4b2b458356972f4eea0bf5da85c61f54a20de245790acd2e9bc4dbcdfa1395'],
    ['gzip:1', 'sha256:c1205503bfd8ced3be3101c96c421ca8739269d577c340beb89b38ce111a4748'],
    ['gzip:9', 'sha256:f73b2c56e5adc0beb3b53583c96c6704c2cb472dc2d161cb3faac91cab46a0a3'],
    ['zstd', 'sha256:843b7b34e2bec025ffe10797f4b1c3e055033d47bb0e6e5cad50c0596969690a'],
    ['zstd:3', 'sha256:843b7b34e2bec025ffe10797f4b1c3e055033d47bb0e6e5cad50c0596969690a'],
    ['zstd:1', 'sha256:e5a5879781ca065953c7d96a7b17d3c1766702383660abfee6e4cd6969d1ae97'],
    ['zstd:12', 'sha256:3f4acb7ab106c1848e7c3a657ee4dfec0e5b448659f74d4ac6625de4a1eabd37'],
    ['none', DIFF_ID],
  ] as const)('is the same blob with %s', async (compression: Compression, digest) => {
    const { diffId, descriptor } = await packLayer(tree(), { store: memoryStore(), compression });
    expect([diffId, descriptor.digest]).toEqual([DIFF_ID, digest]);
  });
});

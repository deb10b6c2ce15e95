import { decompress } from '@bokuweb/zstd-wasm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { probeData, probeDigest } from '../../../src/archive/probe.js';
import { zstd } from '../../../src/archive/zstd.js';
import {
  frameCompressor,
  nativeCompressor,
  referenceCompressor,
  ZSTD_PROBES,
} from '../../../src/archive/zstd-frame.js';
import { digestOf } from '../../../src/values/digest.js';
import { sampleBytes } from '../../support/sample-bytes.js';
import { bytesOf, inChunks } from '../../support/tar.js';

const MIB = 1024 * 1024;
const compress = async (bytes: Uint8Array, chunk?: number) => await bytesOf(zstd(inChunks(bytes, chunk)));

describe('pb-zstd/1', () => {
  // These digests are the format: to change one is to change the digest of every layer that was made with it.
  it.each([
    [0, 'sha256:6fb8543883dafcc2ed0934866b8b3f775231f5b0933add08bf502e9e84944cbd'],
    [1, 'sha256:e304802d44e9cab66f593e76da0c95c6f4bc108ae14af209bc5f58e7b252fb55'],
    [2 * MIB - 1, 'sha256:54268f195738a317377b7c898191acf8dfd3de592272f009dab9d8929a6a1585'],
    [2 * MIB, 'sha256:0834d935c87e02d431fbec04b236f9e2b748cc0d156943367a9a8226db18a966'],
    [2 * MIB + 1, 'sha256:1235d9500ce5d05475e774874e810a7fb00fb1b3df3c5a1268fea5b85aff39f5'],
    [5 * MIB + 12_345, 'sha256:e90feda271cd7070edab796682f3a18d21e76ec5acd760446ce8fd71af8dec95'],
  ])('makes the same bytes of %d bytes, everywhere and always', async (size, digest) => {
    expect(digestOf(await compress(sampleBytes(size)))).toBe(digest);
  });

  it('does not depend on how its input comes in chunks', async () => {
    const bytes = sampleBytes(4 * MIB + 70_000);
    const expected = await compress(bytes);
    for (const chunk of [5000, 70_001, MIB, 3 * MIB])
      expect((await compress(bytes, chunk)).equals(expected)).toBe(true);
  });

  it('holds the input', async () => {
    await referenceCompressor(1);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
        expect(Buffer.from(decompress(await compress(bytes))).equals(bytes)).toBe(true);
      }),
    );
  });

  it('ends when its input fails, with the same error', async () => {
    const failing = async function* () {
      for (let n = 0; n < 6; n += 1) yield sampleBytes(MIB);
      throw new Error('the disk is gone');
    };
    await expect(bytesOf(zstd(failing()))).rejects.toThrow('the disk is gone');
  });
});

describe('the encoders of frames', () => {
  it.each(ZSTD_PROBES.map((digest, n) => [n + 1, digest] as const))(
    'of level %d are held to what the reference encoder makes',
    async (level, digest) => {
      expect(probeDigest([await (await referenceCompressor(level))(probeData())])).toBe(digest);
    },
  );

  it('agree on any frame', async () => {
    const levels = await Promise.all(
      [1, 3, 5, 9, 13].map((level) => Promise.all([frameCompressor(level), referenceCompressor(level)])),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.string({ maxLength: 3000 }).map((text) => Buffer.from(text)),
      fc
        .array(fc.tuple(fc.nat(255), fc.nat(60_000)), { maxLength: 20 })
        .map((runs) => Buffer.concat(runs.map(([byte, count]) => Buffer.alloc(count, byte)))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(...levels), async (frame, [fast, reference]) => {
        expect(Buffer.compare(await fast(frame), await reference(frame))).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it.each([1, 3, 19])(
    'of level %d are those of Node where it has zstd: all others are several times slower',
    async (level) => {
      const hasZstd = Number(process.versions.node.split('.')[0]) >= 22;
      expect((await nativeCompressor(level)) !== undefined).toBe(hasZstd);
    },
  );
});

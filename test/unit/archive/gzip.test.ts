import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { blockDeflater, DEFLATE_PROBES, probeBlocks, referenceDeflater } from '../../../src/archive/deflate-block.js';
import { gzip } from '../../../src/archive/gzip.js';
import { probeDigest } from '../../../src/archive/probe.js';
import { digestOf } from '../../../src/values/digest.js';
import { sampleBytes } from '../../support/sample-bytes.js';
import { bytesOf, inChunks } from '../../support/tar.js';

const MIB = 1024 * 1024;
const compress = async (bytes: Uint8Array, chunk?: number) => await bytesOf(gzip(inChunks(bytes, chunk)));

describe('pb-gzip/1', () => {
  // These digests are the format: to change one is to change the digest of every layer of every user.
  it.each([
    [0, 'sha256:ac73670af3abed54ac6fb4695131f4099be9fbe39d6076c5d0264a6bbdae9d83'],
    [1, 'sha256:a5335d1f62a6a23af98abc8175b330e03d6c078c5bc0c57078c1556549fbfc96'],
    [MIB - 1, 'sha256:b2313e358447f16767f6c5f90fe5de10f0aa60cbe454ad37e8f521de0a4e1470'],
    [MIB, 'sha256:5048d84f14dbdacb7b547325c6d702036e13d4d2efc2d0c57ddc870ae50fb071'],
    [MIB + 1, 'sha256:c8ff803ab7b87afd57f55f5a5a5172ba219e08b25e303132667f69a04fe37503'],
    [3 * MIB + 12_345, 'sha256:820b67d9057ef73363e661e44f272830e4082c5fe998b67f25e0a066b06e1819'],
  ])('makes the same bytes of %d bytes with level 6, everywhere and always', async (size, digest) => {
    expect(digestOf(await bytesOf(gzip(inChunks(sampleBytes(size)), 6)))).toBe(digest);
  });

  it('has level 4 if none is named', async () => {
    const bytes = sampleBytes(MIB + 1);
    expect((await compress(bytes)).equals(await bytesOf(gzip(inChunks(bytes), 4)))).toBe(true);
    expect((await compress(bytes)).equals(await bytesOf(gzip(inChunks(bytes), 6)))).toBe(false);
  });

  it('does not depend on how its input comes in chunks', async () => {
    const bytes = sampleBytes(2 * MIB + 70_000);
    const expected = await compress(bytes);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 1_500_000 }), { minLength: 1, maxLength: 9 }),
        async (sizes) => {
          const chunks = async function* () {
            for (let at = 0, n = 0; at < bytes.byteLength; n += 1) {
              const size = sizes[n % sizes.length] as number;
              yield bytes.subarray(at, at + Math.max(size, 5000));
              at += Math.max(size, 5000);
            }
          };
          expect((await bytesOf(gzip(chunks()))).equals(expected)).toBe(true);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('is one gzip member that holds the input', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
        expect(gunzipSync(await compress(bytes)).equals(bytes)).toBe(true);
      }),
    );
    const large = sampleBytes(2 * MIB);
    const gzipped = await compress(large);
    expect(gunzipSync(gzipped).equals(large)).toBe(true);
    expect([...gzipped.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });

  it('ends when its input fails, with the same error', async () => {
    const failing = async function* () {
      for (let n = 0; n < 6; n += 1) yield sampleBytes(MIB);
      throw new Error('the disk is gone');
    };
    await expect(bytesOf(gzip(failing()))).rejects.toThrow('the disk is gone');
  });
});

describe('the encoders of blocks', () => {
  it.each(DEFLATE_PROBES.map((digest, n) => [n + 1, digest] as const))(
    'of level %d are held to what the reference encoder makes',
    async (level, digest) => {
      const reference = await referenceDeflater(level);
      expect(probeDigest(await Promise.all(probeBlocks().map(reference)))).toBe(digest);
    },
  );

  it('agree on any block', async () => {
    const levels = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => Promise.all([blockDeflater(level), referenceDeflater(level)])),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.string({ maxLength: 3000 }).map((text) => Buffer.from(text)),
      fc
        .array(fc.tuple(fc.nat(255), fc.nat(700)), { maxLength: 20 })
        .map((runs) => Buffer.concat(runs.map(([byte, count]) => Buffer.alloc(count, byte)))),
    );
    const dictionary = fc.option(fc.uint8Array({ minLength: 1, maxLength: 2000 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ bytes, dictionary, last: fc.boolean() }),
        fc.constantFrom(...levels),
        async (block, [fast, reference]) => {
          expect(Buffer.compare(await fast(block), await reference(block))).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createGzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Compression, decompress } from '../../../src/archive/decompress.js';
import { fail } from '../../../src/values/error.js';
import { bytesOf, inChunks } from '../../support/tar.js';

const read = (bytes: Uint8Array, expected?: Compression, chunk = 7) =>
  bytesOf(decompress(inChunks(bytes, chunk), { expected }));
const text = Buffer.from('what was compressed '.repeat(1000));
const gzipped = gzipSync(text);

describe('decompress', () => {
  it('reads gzip and plain bytes by their first bytes', async () => {
    for (const chunk of [1, 3, 100_000]) {
      expect((await read(gzipped, undefined, chunk)).equals(text)).toBe(true);
      expect((await read(text, undefined, chunk)).equals(text)).toBe(true);
    }
    expect(await read(gzipped, 'none')).toEqual(text);
    expect((await read(Buffer.alloc(0))).byteLength).toBe(0);
  });

  it('CMP-4 reads several gzip members as one', async () => {
    expect((await read(Buffer.concat([gzipped, gzipped]), 'gzip')).byteLength).toBe(2 * text.byteLength);
  });

  it.each([
    ['CMP-6 that are not compressed as declared', text],
    ['CMP-6 that are zstd', Buffer.from('28b52ffd00', 'hex')],
    ['that are missing', Buffer.alloc(0)],
    ['CMP-1 cut off', gzipped.subarray(0, gzipped.byteLength - 1)],
    ['cut off in the header', gzipped.subarray(0, 5)],
    ['damaged in the middle', Buffer.concat([gzipped.subarray(0, 40), Buffer.from('damage'), gzipped.subarray(46)])],
    ['CMP-1 with a wrong checksum', Buffer.concat([gzipped.subarray(0, -8), Buffer.alloc(4), gzipped.subarray(-4)])],
    ['CMP-1 with a wrong length', Buffer.concat([gzipped.subarray(0, -4), Buffer.alloc(4)])],
    ['CMP-3 with zeros behind them', Buffer.concat([gzipped, Buffer.alloc(10)])],
    ['CMP-2 with something behind them', Buffer.concat([gzipped, Buffer.from('more bytes')])],
    ['with one byte behind them', Buffer.concat([gzipped, Buffer.from('x')])],
  ])('refuses bytes %s', async (_, bytes) => {
    for (const chunk of [1, 64, 100_000])
      await expect(read(bytes, 'gzip', chunk)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('CMP-5 TAR-23 refuses what becomes over 1000 times as long, in little memory', async () => {
    const tenGigabytes = async function* () {
      const page = Buffer.alloc(1 << 20);
      const gzip = createGzip({ level: 9 });
      const fed = (async () => {
        for (let at = 0; at < 10_240; at += 1) if (!gzip.write(page)) await once(gzip, 'drain');
        gzip.end();
      })();
      fed.catch(() => {});
      try {
        yield* gzip as AsyncIterable<Uint8Array>;
      } finally {
        gzip.destroy();
      }
    };
    const before = process.memoryUsage().rss;
    let [length, most] = [0, 0];
    const reading = async () => {
      for await (const chunk of decompress(tenGigabytes(), { expected: 'gzip' })) {
        length += chunk.byteLength;
        most = Math.max(most, process.memoryUsage().rss - before);
      }
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: 'a tar archive is refused',
      why: 'its compressed data becomes more than 1000 times as long',
      details: { rule: 'bomb' },
    });
    expect(length).toBeLessThan(256 * 1024 * 1024);
    expect(most).toBeLessThan(150 * 1024 * 1024);
  });

  it('CMP-5 does not mind zeros among other bytes', async () => {
    const bytes = Buffer.concat([randomBytes(100_000), Buffer.alloc(1 << 25)]);
    expect((await read(gzipSync(bytes), 'gzip', 65_536)).byteLength).toBe(bytes.byteLength);
  });

  it('never takes damaged gzip for whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(gzipped.byteLength - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(gzipped);
        damaged[at] = (damaged[at] as number) ^ flip;
        const result = await read(damaged).catch((error: { code?: string }) => error.code);
        // In the magic number it makes plain bytes; in unused bits and the header's time it changes nothing.
        if (at >= 2 && result !== 'ARCHIVE_INVALID') expect(result).toEqual(text);
      }),
    );
  });

  it('passes on an error of its source, and closes the source when nobody reads on', async () => {
    const failing = async function* () {
      yield gzipped.subarray(0, 20);
      throw fail('DIGEST_MISMATCH', { what: 'a lie' });
    };
    await expect(bytesOf(decompress(failing()))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    let closed = false;
    const watched = async function* () {
      try {
        for (;;) yield gzipped;
      } finally {
        closed = true;
      }
    };
    for await (const _ of decompress(watched())) break;
    await new Promise(setImmediate);
    expect(closed).toBe(true);
  });
});

import { crc32 } from 'node:zlib';
import { type Block, blockDeflater } from './deflate-block.js';

/** The name of the compressed format, kept beside what it made: another format is another name. */
export const COMPRESSOR = 'pb-gzip/1';

const BLOCK = 1024 * 1024;
const WINDOW = 32 * 1024;
const IN_FLIGHT = 4;
/** No name, no time, no flags, and "unknown" for the operating system (RFC 1952). */
const HEADER = Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * Compresses to the format `pb-gzip/1`: one gzip member, whose bytes depend on the input's bytes alone: not on how it
 * arrives in chunks, the machine, the number of threads, or the release of Node.
 * The input is cut into blocks of 1 MiB; each is raw deflate of level 6 that knows the 32 KiB before it and ends with a
 * sync flush, so that blocks can be compressed at the same time. Chunks given in must not be changed afterwards.
 */
export async function* gzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const deflate = await blockDeflater();
  const pending: Promise<Uint8Array>[] = [];
  let crc = 0;
  let size = 0;
  yield HEADER;
  for await (const block of markedBlocks(bytes)) {
    crc = crc32(block.bytes, crc);
    size += block.bytes.byteLength;
    const compressed = deflate(block);
    compressed.catch(() => {}); // whoever stops reading must not leave an unhandled rejection; it is awaited below
    pending.push(compressed);
    if (pending.length >= IN_FLIGHT) yield (await pending.shift()) as Uint8Array;
  }
  for (const compressed of pending) yield await compressed;
  yield trailer(crc, size);
}

/** Blocks with what precedes them. The last one is marked; when there is no input it is empty. */
async function* markedBlocks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  let held: Uint8Array = new Uint8Array(0);
  let dictionary: Uint8Array | undefined;
  for await (const block of inBlocks(bytes, BLOCK)) {
    if (held.byteLength > 0) {
      yield { bytes: held, dictionary, last: false };
      dictionary = held.subarray(-WINDOW);
    }
    held = block;
  }
  yield { bytes: held, dictionary, last: true };
}

/** Cuts into blocks of one size; only the last may be shorter. No input gives no block. */
export async function* inBlocks(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (length + rest.byteLength >= size) {
      parts.push(rest.subarray(0, size - length));
      yield parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, size);
      rest = rest.subarray(size - length);
      parts = [];
      length = 0;
    }
    if (rest.byteLength > 0) parts.push(rest);
    length += rest.byteLength;
  }
  if (length > 0) yield Buffer.concat(parts, length);
}

function trailer(crc: number, size: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(crc, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

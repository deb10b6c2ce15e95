import { crc32 } from 'node:zlib';
import { inBlocks, inOrder } from './blocks.js';
import { type Block, blockDeflater } from './deflate-block.js';

/** The name of the compressed format, kept beside what it made: another format is another name. */
export const GZIP_FORMAT = 'pb-gzip/1';

/** A third faster than 6, for five per cent more bytes: about the size that umoci makes. */
export const GZIP_LEVEL = 4;

const BLOCK = 1024 * 1024;
const WINDOW = 32 * 1024;
/** No name, no time, no flags, and "unknown" for the operating system (RFC 1952). */
const HEADER = Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * Compresses to the format `pb-gzip/1`: one gzip member, whose bytes depend on the input's bytes and the level alone: not on
 * how it arrives in chunks, the machine, the number of threads, or the release of Node.
 * The input is cut into blocks of 1 MiB; each is raw deflate that knows the 32 KiB before it and ends with a sync flush, so
 * that blocks can be compressed at the same time. Chunks given in must not be changed afterwards.
 */
export async function* gzip(bytes: AsyncIterable<Uint8Array>, level: number = GZIP_LEVEL): AsyncGenerator<Uint8Array> {
  const deflate = await blockDeflater(level);
  let crc = 0;
  let size = 0;
  yield HEADER;
  yield* inOrder(markedBlocks(bytes), (block) => {
    crc = crc32(block.bytes, crc);
    size += block.bytes.byteLength;
    return deflate(block);
  });
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

function trailer(crc: number, size: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(crc, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

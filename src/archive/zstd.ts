import { inBlocks, inOrder } from './blocks.js';
import { frameCompressor } from './zstd-frame.js';

/** The name of the compressed format, kept beside what it made: another format is another name. */
export const ZSTD_FORMAT = 'pb-zstd/1';

export const ZSTD_LEVEL = 3;

const FRAME = 2 * 1024 * 1024;

/**
 * Compresses to the format `pb-zstd/1`: zstd frames of 2 MiB of input each, one after another (RFC 8878, section 3), whose
 * bytes depend on the input's bytes and the level alone, as those of `gzip` do. No input gives one empty frame.
 */
export async function* zstd(bytes: AsyncIterable<Uint8Array>, level: number = ZSTD_LEVEL): AsyncGenerator<Uint8Array> {
  yield* inOrder(framesOf(bytes), await frameCompressor(level));
}

async function* framesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const frame of inBlocks(bytes, FRAME)) {
    isEmpty = false;
    yield frame;
  }
  if (isEmpty) yield new Uint8Array(0);
}

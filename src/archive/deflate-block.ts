import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync } from 'node:zlib';
import { probeData, probeDigest } from './probe.js';

/** A block to compress: a pure function of these three and the level. */
export interface Block {
  readonly bytes: Uint8Array;
  /** The last 32 KiB before the block; undefined for the first. */
  readonly dictionary: Uint8Array | undefined;
  readonly last: boolean;
}

/** Compresses one block to raw deflate data. */
export type DeflateBlock = (block: Block) => Promise<Uint8Array>;

/**
 * The encoder of `pb-gzip/1`: Node's own zlib where it makes the bytes of the reference encoder (pako), as its official
 * builds do; else, when Node is linked with another zlib, the reference encoder itself, several times slower.
 */
export function blockDeflater(level: number): Promise<DeflateBlock> {
  const known = chosen.get(level) ?? (nativeIsTrue(level) ? Promise.resolve(native(level)) : referenceDeflater(level));
  chosen.set(level, known);
  return known;
}

const chosen = new Map<number, Promise<DeflateBlock>>();

/** For each level from 1 on, the digest of what the reference encoder makes of `probeBlocks`, pinned with the format. */
export const DEFLATE_PROBES: readonly string[] = [
  '6af0781a6f6e051d',
  '748aee694826e704',
  '9d24c8e976fba77a',
  '63898adf58b10bdf',
  '8cf6c189c321aa49',
  'c098ecc3aa517fe8',
  '58b0dc92149cc151',
  'b2e7a0f9a70181e1',
  'da92e1dca6ce1629',
];

export function probeBlocks(): readonly Block[] {
  const whole = probeData();
  const cuts = [0, 100_001, 196_608, whole.byteLength];
  return cuts.slice(1).map((end, n) => {
    const start = cuts[n] ?? 0;
    const dictionary = start === 0 ? undefined : whole.subarray(start - 32_768, start);
    return { bytes: whole.subarray(start, end), dictionary, last: end === whole.byteLength };
  });
}

/** The options of the format; the output buffer is so large that no flush ends in it (zlib would add a marker). */
export function deflateOptions({ bytes, dictionary, last }: Block, level: number) {
  const n = bytes.byteLength;
  return {
    level,
    memLevel: 8,
    windowBits: 15,
    chunkSize: n + (n >> 12) + (n >> 14) + (n >> 25) + 13 + 64,
    finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
}

function nativeIsTrue(level: number): boolean {
  const made = probeBlocks().map((block) => deflateRawSync(block.bytes, deflateOptions(block, level)));
  return probeDigest(made) === DEFLATE_PROBES[level - 1];
}

const deflateInPool = promisify<Uint8Array, ReturnType<typeof deflateOptions>, Uint8Array>(deflateRaw);

function native(level: number): DeflateBlock {
  return (block) => deflateInPool(block.bytes, deflateOptions(block, level));
}

/** pako 3, in this thread. Loaded only where it is needed. */
export async function referenceDeflater(level: number): Promise<DeflateBlock> {
  const { Deflate } = await import('pako');
  return async (block) => {
    const { finishFlush, ...options } = deflateOptions(block, level);
    const deflate = new Deflate({ ...options, raw: true });
    const chunks: Uint8Array[] = [];
    deflate.onData = (chunk) => chunks.push(chunk);
    deflate.push(block.bytes, finishFlush as 2 | 4);
    return Buffer.concat(chunks);
  };
}

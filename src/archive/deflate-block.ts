import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync } from 'node:zlib';

/** A block to compress: a pure function of these three. */
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
export function blockDeflater(): Promise<DeflateBlock> {
  chosen ??= nativeIsTrue() ? Promise.resolve(nativeDeflate) : referenceDeflater();
  return chosen;
}

let chosen: Promise<DeflateBlock> | undefined;

/** The digest of what the reference encoder makes of `probeBlocks`, pinned with the format. */
export const PROBE_DIGEST = 'c098ecc3aa517fe87b8ef599e26d399e686b212ce4b97cf8b2ba9d351e03470a';

/** Data of four kinds, so that each strategy inside the encoder is used: text, binary, noise and long runs. */
export function probeBlocks(): readonly Block[] {
  const noise = pseudoRandom(0x2545f491);
  const texts = Buffer.from(
    Array.from({ length: 9000 }, (_, n) => `line ${(n * n) % 997}: "value ${n % 61}"\n`).join(''),
  );
  const binary = Uint8Array.from({ length: 65_536 }, (_, n) => (n % 7 === 0 ? noise() : (n >> 5) & 0xff));
  const random = Uint8Array.from({ length: 32_768 }, noise);
  const runs = Uint8Array.from({ length: 65_536 }, (_, n) => ((n >> 9) * 37) & 0xff);
  const whole = Buffer.concat([texts.subarray(0, 131_072), binary, random, runs]);
  const cuts = [0, 100_001, 196_608, whole.byteLength];
  return cuts.slice(1).map((end, n) => {
    const start = cuts[n] ?? 0;
    const dictionary = start === 0 ? undefined : whole.subarray(start - 32_768, start);
    return { bytes: whole.subarray(start, end), dictionary, last: end === whole.byteLength };
  });
}

/** The options of the format; the output buffer is so large that no flush ends in it (zlib would add a marker). */
export function deflateOptions({ bytes, dictionary, last }: Block) {
  const n = bytes.byteLength;
  return {
    level: 6,
    memLevel: 8,
    windowBits: 15,
    chunkSize: n + (n >> 12) + (n >> 14) + (n >> 25) + 13 + 64,
    finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
}

function nativeIsTrue(): boolean {
  const hash = createHash('sha256');
  for (const block of probeBlocks()) hash.update(deflateRawSync(block.bytes, deflateOptions(block)));
  return hash.digest('hex') === PROBE_DIGEST;
}

const deflateInPool = promisify<Uint8Array, ReturnType<typeof deflateOptions>, Uint8Array>(deflateRaw);

function nativeDeflate(block: Block): Promise<Uint8Array> {
  return deflateInPool(block.bytes, deflateOptions(block));
}

/** pako 3, in this thread. Loaded only where it is needed. */
export async function referenceDeflater(): Promise<DeflateBlock> {
  const { Deflate } = await import('pako');
  return async (block) => {
    const { finishFlush, ...options } = deflateOptions(block);
    const deflate = new Deflate({ ...options, raw: true });
    const chunks: Uint8Array[] = [];
    deflate.onData = (chunk) => chunks.push(chunk);
    deflate.push(block.bytes, finishFlush as 2 | 4);
    return Buffer.concat(chunks);
  };
}

/** xorshift32: the same noise everywhere. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
}

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { probeData, probeDigest } from './probe.js';

/** Compresses bytes to one zstd frame: a pure function of them and the level. */
export type FrameCompressor = (bytes: Uint8Array) => Promise<Uint8Array>;

/**
 * The encoder of `pb-zstd/1`: Node's own zstd where it makes the bytes of the reference encoder, as Node 22.15 and later do
 * with zstd 1.5.7; else the reference encoder itself, in this thread: the same zstd in WebAssembly.
 */
export function frameCompressor(level: number): Promise<FrameCompressor> {
  const known = chosen.get(level) ?? nativeCompressor(level).then((native) => native ?? referenceCompressor(level));
  chosen.set(level, known);
  return known;
}

const chosen = new Map<number, Promise<FrameCompressor>>();

/** For each level from 1 on, the digest of what the reference encoder makes of `probeData`, pinned with the format. */
export const ZSTD_PROBES: readonly string[] = [
  'd352383f66488085',
  '00a238901e6c7e02',
  '9c6ed2f49fc5212e',
  '0fa7caaed387fcd3',
  'b6c013c7da587e86',
  'ca354178368624f2',
  '066ec94ab8b3ab31',
  '4022293b2d7fbc39',
  '4022293b2d7fbc39',
  '9480e62a00c5ee6f',
  '00cc9c3ae3b7fe37',
  '00cc9c3ae3b7fe37',
  'acbac32fd0266e17',
  '878ae0ebabe78479',
  '599ea395a881a6f4',
  'd05858b2b056d0f8',
  '352f399ae52fb175',
  '6fb0f282455f05df',
  'f214edbecc91e572',
];

/** The part of node:zlib that the types of Node 20 lack, as Node 20 lacks it. */
interface NativeZstd {
  readonly zstdCompress?: (
    bytes: Uint8Array,
    options: object,
    done: (error: Error | null, made: Uint8Array) => void,
  ) => void;
}

const { zstdCompress } = zlib as NativeZstd;

/** ZSTD_e_end and ZSTD_c_compressionLevel */
const [END, LEVEL] = [2, 100];

/**
 * With all of the input at once and room for all of the output, zstd compresses in one go, as the reference encoder does;
 * otherwise it makes other blocks.
 */
function inOneGo({ byteLength: n }: Uint8Array, level: number) {
  return { flush: END, chunkSize: n + (n >> 8) + 256, params: { [LEVEL]: level } };
}

/** Node's own zstd, if it makes the bytes of the format, but for the empty frame that it adds when the input has ended. */
export async function nativeCompressor(level: number): Promise<FrameCompressor | undefined> {
  if (zstdCompress === undefined) return undefined;
  const compress = promisify(zstdCompress);
  const bytes = probeData();
  const made = await compress(bytes, inOneGo(bytes, level));
  const added = [0, EMPTY_FRAME].find((size) => isOfFormat(made.subarray(0, made.byteLength - size), level));
  if (added === undefined) return undefined;
  return async (bytes) => {
    const made = await compress(bytes, inOneGo(bytes, level));
    return made.subarray(0, made.byteLength - added);
  };
}

/** Bytes of a frame that holds nothing. */
const EMPTY_FRAME = 9;

function isOfFormat(made: Uint8Array, level: number): boolean {
  return probeDigest([made]) === ZSTD_PROBES[level - 1];
}

/** Loaded only where it is needed. */
export async function referenceCompressor(level: number): Promise<FrameCompressor> {
  loading ??= loadReference();
  const compress = await loading;
  return async (bytes) => compress(bytes, level);
}

let loading: ReturnType<typeof loadReference> | undefined;

/** To be done once: to initialize it again damages its memory, and it makes other bytes from then on. */
async function loadReference() {
  const { init, compress } = await import('@bokuweb/zstd-wasm');
  await init();
  return compress;
}

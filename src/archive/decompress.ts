import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { fail, PackBuildError } from '../values/error.js';
import { refused } from './tar-fault.js';
import { zstdProgram } from './zstd-program.js';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface DecompressOptions {
  readonly expected?: Compression | undefined;
  /** How many times its length the data may become, 1000 if absent: gzip cannot do much more with honest data. */
  readonly mostRatio?: number;
}

/**
 * The uncompressed bytes of a stream, recognised by its first bytes. With `expected` the stream must be of that
 * compression; only one expected to be uncompressed may yet be compressed, as in `docker save` archives of some tools.
 * Throws `ARCHIVE_INVALID` for damaged or cut off data and for bytes behind the end, `TOOL_MISSING` for zstd where neither
 * Node nor the system can read it, and what the source throws.
 */
export async function* decompress(
  bytes: AsyncIterable<Uint8Array>,
  { expected, mostRatio = MOST_RATIO }: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const input = counting(bytes);
  const { head, all } = await peek(input.pass, 4);
  const found = compressionOfBytes(head);
  if (expected !== undefined && expected !== 'none' && found !== expected) {
    throw invalid(
      `it was declared as ${expected}, but its first bytes are ${Buffer.from(head).toString('hex') || 'missing'}`,
    );
  }
  const mostSize = () => Math.max(FREE_BYTES, input.size() * mostRatio);
  if (found === 'none') yield* all;
  else if (found === 'gzip') yield* modest(through(zlib.createGunzip({ chunkSize: CHUNK }), all), mostSize);
  else
    yield* modest(nodeZstd === undefined ? zstdProgram(all) : through(nodeZstd({ chunkSize: CHUNK }), all), mostSize);
}

const MOST_RATIO = 1000;
/** Of less the ratio says nothing. */
const FREE_BYTES = 10 * 1024 * 1024;

async function* modest(bytes: AsyncIterable<Uint8Array>, mostSize: () => number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.byteLength;
    if (length > mostSize()) throw refused('bomb', `its compressed data becomes more than ${MOST_RATIO} times as long`);
    yield chunk;
  }
}

function counting(bytes: AsyncIterable<Uint8Array>) {
  let size = 0;
  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      size += chunk.byteLength;
      yield chunk;
    }
  }
  return { pass: pass(), size: () => size };
}

/** The compression whose magic number these first four bytes or more are. */
export function compressionOfBytes(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? 'zstd' : 'none';
}

const CHUNK = 256 * 1024;

type Decoder = Transform & { readonly bytesWritten: number };

/** Node 22.15 and later have it. */
const { createZstdDecompress: nodeZstd } = zlib as unknown as {
  createZstdDecompress?: (options: { readonly chunkSize: number }) => Decoder;
};

/** The first bytes, and a stream of all bytes. */
async function peek(bytes: AsyncIterable<Uint8Array>, count: number) {
  const iterator = bytes[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < count) {
    const next = await iterator.next();
    if (next.done) break;
    chunks.push(next.value);
    length += next.value.byteLength;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, count), all: all() };
}

async function* through(transform: Decoder, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let given = 0;
  let sourceError: unknown;
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of bytes) {
        given += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  const fed = pipeline(Readable.from(counted(), { objectMode: false }), transform);
  fed.catch(() => {});
  try {
    yield* transform;
    await fed;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw error instanceof PackBuildError ? error : invalid((error as Error).message, error);
  } finally {
    transform.destroy();
  }
  if (transform.bytesWritten !== given) throw invalid(`${given - transform.bytesWritten} bytes follow its end`);
}

function invalid(why: string, cause?: unknown): PackBuildError {
  return fail('ARCHIVE_INVALID', { what: 'compressed data cannot be read', why, cause });
}

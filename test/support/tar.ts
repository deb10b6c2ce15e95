import type { ReadEntry, TarEntry } from '../../src/archive/tar-entry.js';

/** All bytes of a stream. */
export async function bytesOf(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Bytes as a stream of chunks of this size. */
export async function* inChunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

export interface WholeEntry {
  readonly entry: TarEntry;
  readonly mtime: number;
  readonly content: Buffer;
}

/** All entries of a tar with their contents. */
export async function readAll(entries: AsyncIterable<ReadEntry>): Promise<WholeEntry[]> {
  const all: WholeEntry[] = [];
  for await (const { entry, mtime, content } of entries) all.push({ entry, mtime, content: await bytesOf(content) });
  return all;
}

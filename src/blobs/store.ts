import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';

/** Bytes by their digest. Every read is verified: size first, then digest; a lie throws `DIGEST_MISMATCH`. */
export interface BlobReader {
  has(digest: Digest): Promise<boolean>;
  /** The bytes as a stream of chunks; the last chunk arrives only if all bytes matched. Throws `BLOB_NOT_FOUND`. */
  stream(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** The bytes at once, for documents (at most 4 MiB). Throws `BLOB_NOT_FOUND`. */
  read(descriptor: Descriptor): Promise<Uint8Array>;
  /** The file that holds these bytes and nothing else, where there is one. What is in it is yet to be verified. */
  fileOf?(descriptor: Descriptor): Promise<string | undefined>;
}

/** A place that takes blobs. Writing a blob that is there already does nothing. */
export interface BlobWriter {
  /** Stores bytes that must have this descriptor's size and digest: `DIGEST_MISMATCH` otherwise, and nothing is kept. */
  write(descriptor: Descriptor, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** Shares a file of another store instead of copying it, once its bytes are verified. False where that cannot be. */
  share?(descriptor: Descriptor, file: string): Promise<boolean>;
}

/** Small texts by name (hex digits) that a store keeps beside its blobs. Whoever reads one checks what it says. */
export interface Notes {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

export interface BlobStore extends BlobReader, BlobWriter {
  /** Absent where nothing is kept for another time. */
  readonly notes?: Notes;
  /** Stores a stream whose digest is not known yet and returns what it was. `finish` is called before anything becomes visible. */
  ingest(bytes: AsyncIterable<Uint8Array>): Promise<{ readonly digest: Digest; readonly size: number }>;
}

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tarFs from 'tar-fs';
import { fail, isFailure, systemCode } from '../values/error.js';
import { decompress } from './decompress.js';
import { tarParser } from './tar-parse.js';
import { type TarProfile, TREE } from './tar-profile.js';

export interface UnpackOptions {
  /** How many bytes the uncompressed tar may have. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks the tar of a buildpack or a source, plain or compressed with gzip or zstd, into an empty directory. Nobody is made
 * an owner; times are not kept, and nobody but the owner may write. Throws `ARCHIVE_INVALID` for what the profile `TREE`
 * does not let in, and for more than `most`. What was unpacked before an error is left to the caller to remove.
 */
export async function unpackDirectory(
  bytes: AsyncIterable<Uint8Array>,
  directory: string,
  { most = Number.POSITIVE_INFINITY, signal }: UnpackOptions = {},
): Promise<void> {
  const sink = tarFs.extract(directory, { chown: false, utimes: false, strict: true, umask: 0o022 });
  try {
    await pipeline(
      Readable.from(letIn(decompress(bytes), { ...TREE, most }), { objectMode: false }),
      sink,
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    if (isFailure(error) || signal?.aborted || systemCode(error) !== undefined) throw error;
    throw fail('ARCHIVE_INVALID', {
      what: 'a tar archive cannot be unpacked',
      why: (error as Error).message,
      cause: error,
    });
  }
}

/** The bytes as they are, once our reader has taken them: what the library reads then means the same to everyone. */
async function* letIn(bytes: AsyncIterable<Uint8Array>, profile: TarProfile): AsyncGenerator<Uint8Array> {
  const parser = tarParser(profile, { begin: () => undefined, data: () => undefined, end: () => undefined });
  for await (const chunk of bytes) {
    parser.push(chunk);
    yield chunk;
  }
  parser.finish();
}

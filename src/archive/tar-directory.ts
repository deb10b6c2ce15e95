import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tarFs from 'tar-fs';
import { fail, isFailure, systemCode } from '../values/error.js';
import { decompress } from './decompress.js';

export interface UnpackOptions {
  readonly strip?: number;
  /** How many bytes the uncompressed tar may have. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks the tar of a buildpack or a source, uncompressed or with gzip, into an empty directory. `strip` leaves out that
 * many leading parts of each name. Nobody is made an owner; times are not kept; links that lead out of the directory,
 * devices and fifos are refused with `ARCHIVE_INVALID`, and so is more than `most`. What was unpacked before an error is left to the caller to remove.
 */
export async function unpackDirectory(
  bytes: AsyncIterable<Uint8Array>,
  directory: string,
  { strip = 0, most = Number.POSITIVE_INFINITY, signal }: UnpackOptions = {},
): Promise<void> {
  const sink = tarFs.extract(directory, { strip, chown: false, utimes: false, strict: true, umask: 0o022 });
  try {
    await pipeline(
      Readable.from(limited(decompress(bytes), most), { objectMode: false }),
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

async function* limited(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.byteLength;
    if (length > most) throw refused(`it holds more than ${most} bytes`);
    yield chunk;
  }
  if (length === 0) throw refused('it is empty');
}

function refused(why: string) {
  return fail('ARCHIVE_INVALID', { what: 'a tar archive cannot be unpacked', why });
}

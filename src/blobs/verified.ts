import { createHash } from 'node:crypto';
import { MAX_DOCUMENT_BYTES } from '../oci/documents.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, fromHex } from '../values/digest.js';
import { fail } from '../values/error.js';

/** What bytes are counted and hashed with, and what they must be. */
export interface Tally {
  /** Throws `DIGEST_MISMATCH` for more bytes than expected, as soon as they come. */
  add(chunk: Uint8Array): void;
  /** Throws `DIGEST_MISMATCH` if these were not the bytes expected. */
  end(): { readonly digest: Digest; readonly size: number };
}

const COPY_AGAIN = 'copy the image there again, or name another place; check the disk if it repeats';

/** Counts and hashes bytes, and holds them to a descriptor if there is one; `where` names their place in the error, `fix` what to do. */
export function tally(expected: Descriptor | undefined, where: string, fix = COPY_AGAIN): Tally {
  const hash = createHash('sha256');
  let size = 0;
  return {
    add(chunk) {
      size += chunk.byteLength;
      if (expected !== undefined && size > expected.size)
        throw mismatch(expected, where, `there are more than the ${expected.size} bytes expected`, fix);
      hash.update(chunk);
    },
    end() {
      const digest = fromHex(hash.digest('hex'));
      if (expected === undefined) return { digest, size };
      if (size !== expected.size)
        throw mismatch(expected, where, `${expected.size} bytes expected, ${size} found`, fix);
      if (digest !== expected.digest)
        throw mismatch(expected, where, `${expected.digest} expected, ${digest} found`, fix);
      return { digest, size };
    },
  };
}

/**
 * Passes bytes on while checking them against a descriptor: too many are refused as soon as they come, and the last chunk
 * is held back until size and digest are right. `where` names the place in the `DIGEST_MISMATCH` that a lie throws, `fix` what to do.
 */
export async function* verified(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  descriptor: Descriptor,
  where: string,
  fix?: string,
): AsyncGenerator<Uint8Array> {
  const seen = tally(descriptor, where, fix);
  let held: Uint8Array | undefined;
  for await (const chunk of bytes) {
    seen.add(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  seen.end();
  if (held !== undefined) yield held;
}

/** A document's bytes at once. Throws `IMAGE_INVALID` beyond `MAX_DOCUMENT_BYTES`. */
export async function collect(bytes: AsyncIterable<Uint8Array>, descriptor: Descriptor): Promise<Uint8Array> {
  if (descriptor.size > MAX_DOCUMENT_BYTES) {
    throw fail('IMAGE_INVALID', {
      what: `the document ${descriptor.digest} is too large to be one`,
      why: `it has ${descriptor.size} bytes; at most ${MAX_DOCUMENT_BYTES} are read`,
    });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function mismatch({ digest }: Descriptor, where: string, why: string, fix: string) {
  return fail('DIGEST_MISMATCH', {
    what: `${where} does not hold the bytes of ${digest}`,
    why,
    fix,
    details: { digest, where },
  });
}

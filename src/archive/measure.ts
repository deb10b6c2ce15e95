import { createHash } from 'node:crypto';
import { type DiffId, parseDiffId } from '../values/digest.js';

/** Hashes and counts the bytes of a tar while they pass. `result` is right once `pass` has come to its end. */
export function measuring() {
  const hash = createHash('sha256');
  let size = 0;
  return {
    async *pass(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.byteLength;
        yield chunk;
      }
    },
    result: (): { readonly diffId: DiffId; readonly size: number } => ({
      diffId: parseDiffId(`sha256:${hash.digest('hex')}`),
      size,
    }),
  };
}

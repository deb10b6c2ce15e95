import { fail } from '../values/error.js';
import type { Answer } from './http.js';

/** The bytes of an answer, if they are not more than `most`. Throws `REGISTRY_INVALID`, having read no further. */
export async function collectAnswer(answer: Answer, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.bytes) {
    size += chunk.byteLength;
    if (size > most) {
      throw fail('REGISTRY_INVALID', {
        what: `${answer.url.host} sent more than can be right`,
        why: `${answer.url.pathname} has more than ${most} bytes`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

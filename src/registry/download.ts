import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobReader } from '../blobs/store.js';
import { collect, verified } from '../blobs/verified.js';
import type { Answer } from '../http/http.js';
import { isPassingFailure, pause } from '../http/retry.js';
import type { Descriptor } from '../values/descriptor.js';
import { fail } from '../values/error.js';
import { callOf, type Repository } from './manifests.js';

const TRY_AGAIN = 'try again; if it repeats, something between you and the registry alters what is downloaded';

/** The blobs of a repository. A download that breaks off is taken up where it ended; all is verified over the whole. */
export function registryBlobs(from: Repository): BlobReader {
  const place = `${from.host}/${from.repository}`;
  const stream = (descriptor: Descriptor) => verified(download(from, descriptor), descriptor, place, TRY_AGAIN);
  return {
    has: async (digest) => {
      const call = callOf(from, {
        method: 'HEAD',
        at: `${from.repository}/blobs/${digest}`,
        doing: `read ${from.repository}`,
      });
      const answer = await from.client.call(call);
      if (answer.status !== 200 && answer.status !== 404) throw await from.client.refused(answer, call);
      await answer.drop();
      return answer.status === 200;
    },
    stream,
    read: (descriptor) => collect(stream(descriptor), descriptor),
  };
}

async function* download(from: Repository, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  const { rules } = from.client;
  let received = 0;
  let tag: string | undefined;
  for (let failures = 0; received < descriptor.size || received === 0; ) {
    const before = received;
    const answer = await open(from, descriptor, received, tag);
    tag ??= answer.header('etag');
    try {
      for await (const chunk of fromOffset(answer, received)) {
        received += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      if (!isPassingFailure(error) || failures + 1 >= rules.tries) throw error;
    }
    if (received >= descriptor.size) return;
    // What goes on, however often it breaks off, is not a failure.
    failures = received > before ? 1 : failures + 1;
    if (failures >= rules.tries) return;
    await sleep(pause(failures, rules), undefined, from.signal === undefined ? {} : { signal: from.signal });
  }
}

async function open(
  from: Repository,
  { digest }: Descriptor,
  offset: number,
  tag: string | undefined,
): Promise<Answer> {
  const range = { range: `bytes=${offset}-`, ...(tag === undefined ? {} : { 'if-range': tag }) };
  const call = callOf(from, {
    method: 'GET',
    at: `${from.repository}/blobs/${digest}`,
    doing: `read ${from.repository}`,
    headers: offset === 0 ? {} : range,
  });
  const answer = await from.client.call(call);
  if (answer.status === 200 || (answer.status === 206 && offset > 0)) return answer;
  if (answer.status !== 404) throw await from.client.refused(answer, call);
  await answer.drop();
  throw fail('BLOB_NOT_FOUND', {
    what: `there is no blob ${digest} in ${from.host}/${from.repository}`,
    why: 'a manifest names it, and the registry does not have it',
    details: { digest },
  });
}

/** What comes from an offset on: a part, if the server gives parts, else the whole without what we have. */
async function* fromOffset(answer: Answer, offset: number): AsyncGenerator<Uint8Array> {
  const range = answer.header('content-range');
  if (answer.status === 206 && !range?.startsWith(`bytes ${offset}-`)) {
    await answer.drop();
    throw fail('REGISTRY_INVALID', {
      what: `${answer.url.host} sent another part than was asked for`,
      why: `from byte ${offset} on expected, found ${range === undefined ? 'no range' : JSON.stringify(range.slice(0, 80))}`,
    });
  }
  let toSkip = answer.status === 206 ? 0 : offset;
  for await (const chunk of answer.bytes) {
    const rest = chunk.subarray(Math.min(toSkip, chunk.byteLength));
    toSkip -= chunk.byteLength - rest.byteLength;
    if (rest.byteLength > 0) yield rest;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../values/error.js';
import { secureWith } from './certificates.js';
import type { Download, DownloadOptions, DownloadRequest } from './download.js';
import { type Answer, http } from './http.js';
import { following } from './redirect.js';
import { isPassingFailure, pause } from './retry.js';
import { sender } from './sender.js';
import { HTTP_TUNING } from './tuning.js';

const TRIES = 3;

/** Downloads over connections that are kept, with retries and proxies as these options say. */
export function transfers(options: DownloadOptions): Download {
  const { env, trusted = [] } = options;
  const tuning = { ...HTTP_TUNING, ...options.tuning };
  const named = new Set<string>();
  const send = sender({
    http: http({
      ...tuning,
      env,
      isNamed: ({ host }) => named.has(host) || trusted.includes(host),
      secureFor: secureWith(options),
    }),
    rules: tuning,
    parallel: tuning.parallel,
  });
  return async (request, keep) => {
    named.add(request.url.host);
    for (let attempt = 1; ; attempt += 1) {
      const limit = AbortSignal.timeout(request.timeoutMs);
      const signal = request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]);
      const headers = { 'user-agent': 'pack-build', ...request.headers };
      const failure = (error: unknown) => (limit.aborted && !request.signal?.aborted ? late(request) : error);
      const first = { method: 'GET', url: request.url, headers, signal };
      const answer = await following(first, (each) => send(each)).catch((error: unknown) => {
        throw failure(error);
      });
      try {
        if (answer.status === 200) return { status: 200, kept: await keep(wholeOf(answer, request.most)) };
        return { status: answer.status };
      } catch (error) {
        if (attempt === TRIES || request.signal?.aborted || !isPassingFailure(failure(error))) throw failure(error);
      } finally {
        await answer.drop();
      }
      await sleep(pause(attempt, tuning), undefined, request.signal === undefined ? {} : { signal: request.signal });
    }
  };
}

/** The bytes of an answer: all of them, and not too many. */
async function* wholeOf(answer: Answer, most: number): AsyncGenerator<Uint8Array> {
  const promised = answer.header('content-length');
  let size = 0;
  for await (const chunk of answer.bytes) {
    size += chunk.byteLength;
    if (size > most) throw tooMuch(answer, most);
    yield chunk;
  }
  if (promised !== undefined && size !== Number(promised)) {
    throw fail('REGISTRY_UNREACHABLE', {
      what: `the connection to ${answer.url.host} failed`,
      why: `${promised} bytes were promised, ${size} came`,
      details: { host: answer.url.host },
    });
  }
}

function tooMuch({ url }: Answer, most: number) {
  return fail('REGISTRY_INVALID', {
    what: `${url.host} sent more than can be right`,
    why: `${url.pathname} has more than ${most} bytes`,
  });
}

function late({ url, timeoutMs }: DownloadRequest) {
  return fail('REGISTRY_TIMEOUT', {
    what: `${url.host} did not send all within ${Math.round(timeoutMs / 100) / 10} seconds`,
    why: `asked for ${url.pathname}`,
    details: { host: url.host },
  });
}

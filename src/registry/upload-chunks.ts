import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../http/http.js';
import { isPassing, isPassingFailure, pause } from '../http/retry.js';
import { fail, isFailure } from '../values/error.js';
import { callOf, pushScope, type Repository } from './manifests.js';
import type { UploadRequest } from './upload.js';
import { uploadAddress, withParameter } from './upload-address.js';

type Start = () => Promise<{ readonly url: URL; readonly answer: Answer }>;

/** An upload under way: where it goes on, and how far it has come. */
interface Progress {
  url: URL;
  offset: number;
}

/**
 * Sends a blob in pieces (distribution-spec, "Pushing a blob in chunks"). After a failure the registry is asked how far it
 * has come; when that does not fit the piece at hand, the blob is begun anew in another upload. Throws `REGISTRY_FAILED`.
 */
export async function uploadInChunks(to: Repository, request: UploadRequest, start: Start): Promise<void> {
  const { rules } = to.client;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendAll(to, request, await start());
    } catch (error) {
      if (!isFailure(error, 'REGISTRY_FAILED') || error.details['begin'] !== 'anew' || attempt >= rules.tries)
        throw error;
      await sleep(pause(attempt, rules), undefined, to.signal === undefined ? {} : { signal: to.signal });
    }
  }
}

async function sendAll(
  to: Repository,
  request: UploadRequest,
  { url, answer }: Awaited<ReturnType<Start>>,
): Promise<void> {
  const least = Number(answer.header('oci-chunk-min-length') ?? 0);
  const size = Math.max(request.chunkSize, least > 0 && least < 1 << 30 ? least : 0);
  const progress: Progress = { url, offset: 0 };
  for await (const piece of piecesOf(request.open(), size)) await sendPiece(to, progress, piece);
  await finish(to, progress.url, request);
}

async function sendPiece(to: Repository, progress: Progress, piece: Uint8Array): Promise<void> {
  const start = progress.offset;
  const end = start + piece.byteLength;
  const { rules } = to.client;
  for (let attempt = 1; progress.offset < end; attempt += 1) {
    const rest = piece.subarray(progress.offset - start);
    const answer = await patch(to, progress, rest);
    await answer?.drop();
    if (answer?.status === 202 || answer?.status === 201 || answer?.status === 204) {
      progress.url = uploadAddress(to, answer);
      progress.offset += rest.byteLength;
      continue;
    }
    if (answer !== undefined && !isPassing(answer.status) && answer.status !== 416) throw anew(to, answer.status);
    if (attempt >= rules.tries) throw anew(to, answer?.status);
    await sleep(pause(attempt, rules), undefined, to.signal === undefined ? {} : { signal: to.signal });
    await askHowFar(to, progress, start, end);
  }
}

function patch(to: Repository, { url, offset }: Progress, bytes: Uint8Array): Promise<Answer | undefined> {
  const call = callOf(to, {
    method: 'PATCH',
    at: url,
    scopes: [pushScope(to.repository)],
    doing: `push ${to.repository}`,
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `${offset}-${offset + bytes.byteLength - 1}`,
    },
    body: { size: bytes.byteLength, open: () => [bytes] },
    once: true,
  });
  return to.client.call(call).catch((error: unknown) => {
    if (!isPassingFailure(error)) throw error;
    return undefined;
  });
}

/** The registry counts inclusively: `0-9` is ten bytes. What it says is believed only within the piece at hand. */
async function askHowFar(to: Repository, progress: Progress, start: number, end: number): Promise<void> {
  const scopes = [pushScope(to.repository)];
  const answer = await to.client.call(
    callOf(to, { method: 'GET', at: progress.url, scopes, doing: `push ${to.repository}` }),
  );
  await answer.drop();
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(answer.header('range') ?? '') ?? [];
  const offset = last === undefined ? -1 : last === '0' && start === 0 ? 0 : Number(last) + 1;
  if (answer.status !== 204 || offset < start || offset > end) throw anew(to, answer.status);
  progress.offset = offset;
  if (answer.header('location') !== undefined) progress.url = uploadAddress(to, answer);
}

async function finish(to: Repository, url: URL, { descriptor }: UploadRequest): Promise<void> {
  const call = callOf(to, {
    method: 'PUT',
    at: withParameter(url, 'digest', descriptor.digest),
    scopes: [pushScope(to.repository)],
    doing: `push ${to.repository}`,
    headers: { 'content-length': '0', 'content-type': 'application/octet-stream' },
  });
  const answer = await to.client.call(call);
  if (answer.status !== 201 && answer.status !== 204) {
    if (answer.status !== 404 && answer.status !== 416) throw await to.client.refused(answer, call);
    await answer.drop();
    throw anew(to, answer.status);
  }
  await answer.drop();
}

/** An upload that cannot go on, when another one may. */
function anew({ host, repository }: Repository, status: number | undefined) {
  return fail('REGISTRY_FAILED', {
    what: `${host} took only a part of a blob of ${repository}`,
    why: status === undefined ? 'the connection broke off again and again' : `it answered ${status}`,
    fix: 'try again later',
    details: { host, status: status ?? null, begin: 'anew' },
  });
}

async function* piecesOf(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    for (let rest = chunk; rest.byteLength > 0; ) {
      const part = rest.subarray(0, size - length);
      rest = rest.subarray(part.byteLength);
      parts.push(part);
      length += part.byteLength;
      if (length < size) continue;
      yield Buffer.concat(parts);
      [parts, length] = [[], 0];
    }
  }
  if (length > 0) yield Buffer.concat(parts);
}

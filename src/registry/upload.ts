import type { Answer, Body } from '../http/http.js';
import { isPassing, isPassingFailure } from '../http/retry.js';
import type { Descriptor } from '../values/descriptor.js';
import { fail } from '../values/error.js';
import type { Call } from './client.js';
import { callOf, pullScope, pushScope, type Repository } from './manifests.js';
import { uploadAddress, withParameter } from './upload-address.js';
import { uploadInChunks } from './upload-chunks.js';

/** How a blob came to be where it should be. */
export type Uploaded = 'there' | 'mounted' | 'sent';

export interface UploadRequest {
  readonly descriptor: Descriptor;
  readonly open: Body['open'];
  /** Other repositories of the same registry that have the blob. */
  readonly mountFrom: readonly string[];
  /** It is not sent although another repository has it. */
  readonly mustMount?: boolean | undefined;
  /** Bytes in one request, once a blob is sent in pieces. */
  readonly chunkSize: number;
  /** It hardly can be there, and is small: to ask would cost more than to send it. */
  readonly isNew?: boolean | undefined;
}

/**
 * Sees to it that a repository has a blob, with as few requests and bytes as can be: mounts it from another repository, else
 * looks for it, else sends it: at once, and if that breaks off or is too much for the registry, in pieces, which can be
 * taken up again. A blob that was there already can be mounted too. Throws `REGISTRY_MOUNT_REFUSED`.
 */
export async function uploadBlob(to: Repository, request: UploadRequest): Promise<Uploaded> {
  const { descriptor, mountFrom, isNew = false } = request;
  if (mountFrom.length === 0 && !isNew && (await hasBlob(to, descriptor))) return 'there';
  const session = await mountOrStart(to, request);
  if (session === 'mounted') return 'mounted';
  if (mountFrom.length > 0 && !isNew && (await hasBlob(to, descriptor))) {
    await cancelUpload(to, session);
    return 'there';
  }
  if (request.mustMount && mountFrom.length > 0) {
    await cancelUpload(to, session);
    throw mountRefused(to, request);
  }
  if (await sentAtOnce(to, session, request)) return 'sent';
  // The bytes may have arrived, and the answer not.
  if (await hasBlob(to, descriptor)) return 'sent';
  await uploadInChunks(to, request, () => startUpload(to));
  return 'sent';
}

function mountRefused({ host, repository }: Repository, { descriptor, mountFrom }: UploadRequest) {
  const { digest, size } = descriptor;
  return fail('REGISTRY_MOUNT_REFUSED', {
    what: `${host} does not take a layer of the base over from ${mountFrom[0]} to ${repository}`,
    why: `the ${size} bytes of ${digest} would have to be sent, and a rebase sends none of a base that is there already`,
    fix: "have the registry allow mounts between these repositories, or send the base's layers with --allow-upload-base",
    details: { host, repository, from: mountFrom[0] ?? null, digest, size },
  });
}

/** Asks with the right to push, so that the answer is that of the repository which is written to. */
export async function hasBlob(to: Repository, { digest }: Descriptor): Promise<boolean> {
  const call = callOf(to, {
    method: 'HEAD',
    at: `${to.repository}/blobs/${digest}`,
    scopes: [pushScope(to.repository)],
    doing: `push ${to.repository}`,
  });
  const answer = await to.client.call(call);
  if (answer.status !== 200 && answer.status !== 404) throw await to.client.refused(answer, call);
  await answer.drop();
  return answer.status === 200;
}

/** Opens an upload. */
export async function startUpload(to: Repository): Promise<{ readonly url: URL; readonly answer: Answer }> {
  const call = startCall(to);
  const answer = await to.client.call(call);
  if (answer.status !== 202) throw await to.client.refused(answer, call);
  await answer.drop();
  return { url: uploadAddress(to, answer), answer };
}

/** Gives up an upload; a registry that does not hear of it forgets it by itself. */
export async function cancelUpload(to: Repository, url: URL): Promise<void> {
  const call = callOf(to, { ...startCall(to), method: 'DELETE', at: url, once: true });
  await to.client.call(call).then(
    (answer) => answer.drop(),
    () => undefined,
  );
}

function startCall(to: Repository, query = '', more: readonly string[] = []): Call {
  return callOf(to, {
    method: 'POST',
    at: `${to.repository}/blobs/uploads/${query}`,
    scopes: [pushScope(to.repository), ...more],
    doing: `push ${to.repository}`,
    headers: { 'content-length': '0' },
  });
}

/**
 * Mounts the blob, or gives an open upload. Both scopes are asked for in one token. A registry that does not mount opens an
 * upload instead, or says no in one of many ways: then we ask for an upload alone.
 */
async function mountOrStart(to: Repository, { descriptor, mountFrom }: UploadRequest): Promise<URL | 'mounted'> {
  for (const from of mountFrom) {
    const query = `?mount=${encodeURIComponent(descriptor.digest)}&from=${encodeURIComponent(from)}`;
    const answer = await to.client.call(startCall(to, query, [pullScope(from)])).catch((error: unknown) => {
      if (to.signal?.aborted) throw error;
      return undefined;
    });
    await answer?.drop();
    if (answer?.status === 201) return 'mounted';
    if (answer?.status === 202) return uploadAddress(to, answer);
  }
  return (await startUpload(to)).url;
}

/** True when the blob was taken. False when another way may lead there. */
async function sentAtOnce(to: Repository, session: URL, { descriptor, open }: UploadRequest): Promise<boolean> {
  const call = callOf(to, {
    method: 'PUT',
    at: withParameter(session, 'digest', descriptor.digest),
    scopes: [pushScope(to.repository)],
    doing: `push ${to.repository}`,
    headers: { 'content-type': 'application/octet-stream' },
    body: { size: descriptor.size, open },
    once: true,
  });
  try {
    const answer = await to.client.call(call);
    if (answer.status === 201 || answer.status === 204) {
      await answer.drop();
      return true;
    }
    // 404: the session is gone. 405, 411, 413, 416: the registry, or a proxy before it, wants smaller pieces.
    if (![404, 405, 411, 413, 416].includes(answer.status) && !isPassing(answer.status))
      throw await to.client.refused(answer, call);
    await answer.drop();
  } catch (error) {
    if (!isPassingFailure(error)) throw error;
  }
  await cancelUpload(to, session);
  return false;
}

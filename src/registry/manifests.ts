import { collectAnswer } from '../http/answer-bytes.js';
import type { Answer } from '../http/http.js';
import { visible } from '../http/network-failure.js';
import { MAX_DOCUMENT_BYTES } from '../oci/documents.js';
import { DOCKER_LIST, DOCKER_MANIFEST, isIndex, isManifest, OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.js';
import { digestOf, isDigest } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { Call, Client } from './client.js';
import type { FoundDocument } from './documents.js';

/** A repository of a registry, and for whom we ask. */
export interface Repository {
  readonly client: Client;
  /** As named. */
  readonly host: string;
  readonly repository: string;
  readonly isHint?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or an index, as its bytes are. */
export type FoundManifest = FoundDocument;

/** Every kind of manifest that we read. */
export const ACCEPT = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].join(', ');

/** What must be allowed to read from a repository, and to write to it. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

export function callOf(
  { client: _, ...to }: Repository,
  call: Pick<Call, 'method' | 'at' | 'doing'> & Partial<Call>,
): Call {
  return { scopes: [pullScope(to.repository)], ...to, ...call };
}

/**
 * Gets a manifest by tag or digest, once: its digest is that of the bytes that came. Undefined when there is none. Throws
 * `DIGEST_MISMATCH` when the registry says another digest than the bytes have, or other bytes came than were asked for.
 */
export async function getManifest(
  from: Repository,
  reference: string,
  more: Partial<Call> = {},
): Promise<FoundManifest | undefined> {
  const call = callOf(from, {
    method: 'GET',
    at: `${from.repository}/manifests/${reference}`,
    doing: `read ${from.repository}`,
    headers: { accept: ACCEPT },
    ...more,
  });
  const answer = await from.client.call(call);
  if (answer.status === 404) {
    await answer.drop();
    return undefined;
  }
  if (answer.status !== 200) throw await from.client.refused(answer, call);
  const bytes = await collectAnswer(answer, MAX_DOCUMENT_BYTES);
  const digest = digestOf(bytes);
  const expected = isDigest(reference) ? reference : answer.header('docker-content-digest');
  if (isDigest(expected) && expected !== digest) throw lied(from, reference, expected, digest);
  return { descriptor: { mediaType: mediaTypeOf(answer, from, reference), digest, size: bytes.byteLength }, bytes };
}

/** Puts a manifest under a tag or its digest. Gives the answer, whatever its status. */
export function putManifest(
  to: Repository,
  reference: string,
  { descriptor, bytes }: FoundManifest,
  headers: Readonly<Record<string, string>> = {},
): { readonly call: Call; readonly answer: Promise<Answer> } {
  const call = callOf(to, {
    method: 'PUT',
    at: `${to.repository}/manifests/${reference}`,
    scopes: [pushScope(to.repository)],
    doing: `push ${to.repository}`,
    headers: { 'content-type': descriptor.mediaType, ...headers },
    body: { size: bytes.byteLength, open: () => [bytes] },
  });
  return { call, answer: to.client.call(call) };
}

/** Parameters of a media type say nothing here. What the document itself says is compared when it is parsed. */
function mediaTypeOf({ header }: Answer, { host }: Repository, reference: string): string {
  const type = header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (isIndex(type) || isManifest(type)) return type;
  throw fail('IMAGE_INVALID', {
    what: `${host} has something else than an image at ${reference}`,
    why: `it has the media type ${visible(type) || '(none)'}`,
    fix: 'images of the first schema must be pushed anew with a current tool',
  });
}

function lied({ host, repository }: Repository, reference: string, expected: string, found: string) {
  return fail('DIGEST_MISMATCH', {
    what: `${host} sent other bytes than those of ${repository} ${reference}`,
    why: `${expected} expected, ${found} found`,
    fix: 'try again; if it repeats, something between you and the registry alters what is downloaded',
    details: { expected, found },
  });
}

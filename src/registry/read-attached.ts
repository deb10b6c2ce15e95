import { parseDescriptor } from '../oci/documents.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import { isFailure } from '../values/error.js';
import { asArray, asString, member, optional, parseJson } from '../values/json.js';
import type { AttachedRequest } from './artifact.js';
import { registryBlobs } from './download.js';
import { getManifest, type Repository } from './manifests.js';
import { listReferrers } from './referrers.js';

/** Of many artifacts of one type no more are looked at: the last ones. */
const MOST_TRIED = 3;

/**
 * The bytes of an artifact that is attached to an image: of the last one of its type that truly is about that image, and has
 * one blob of a size that is right. They are those that the artifact's manifest names; whether they are true is another
 * question. Undefined where there is none, or only what cannot be read.
 */
export async function readAttached(from: Repository, request: AttachedRequest): Promise<Uint8Array | undefined> {
  const listed = await listReferrers(from, request.subject);
  const candidates = listed.filter(({ artifactType }) => artifactType === request.artifactType).slice(-MOST_TRIED);
  for (const { digest } of candidates.reverse()) {
    const bytes = await readOne(from, digest, request).catch((error: unknown) => {
      if (isFailure(error, 'INTERRUPTED') || !isFailure(error)) throw error;
      return undefined;
    });
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

async function readOne(from: Repository, digest: Digest, request: AttachedRequest): Promise<Uint8Array | undefined> {
  const found = await getManifest(from, digest);
  if (found === undefined) return undefined;
  const root = parseJson(found.bytes, 'artifact', 'IMAGE_INVALID');
  const type = optional(member(root, 'artifactType'), asString);
  const subject = optional(member(root, 'subject'), parseDescriptor);
  const [blob, ...others] = asArray(member(root, 'layers')).map(parseDescriptor);
  const isRight = type === request.artifactType && subject?.digest === request.subject;
  if (!isRight || blob === undefined || others.length > 0 || blob.size > request.most) return undefined;
  return collected(from, blob);
}

async function collected(from: Repository, blob: Descriptor): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of registryBlobs(from).stream(blob)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

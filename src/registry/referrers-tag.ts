import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../http/retry.js';
import { type Index, parseIndex } from '../oci/documents.js';
import { OCI_INDEX } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, hexOf } from '../values/digest.js';
import { type Document, documentOf } from '../values/document.js';
import { fail } from '../values/error.js';
import { type FoundManifest, getManifest, putManifest, type Repository } from './manifests.js';

/** How often we begin again after another writer: each time one of all has come through. */
const MAX_ROUNDS = 20;

/**
 * Adds a descriptor to the account of a subject. Another writer may do so at the same time: the registry is asked to
 * compare, and what is there is read again, at once and after a pause, until ours stands in it beside all others.
 */
export async function addToReferrersTag(to: Repository, subject: Digest, added: Descriptor): Promise<void> {
  const tag = referrersTag(subject);
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const before = await getManifest(to, tag);
    const index = indexIn(before);
    if (!has(index, added)) {
      const next = documentOf<Index>({ ...index, manifests: [...index.manifests, added] }, OCI_INDEX);
      const isRefused = !(await put(to, tag, next, before));
      if (isRefused) await rest(to, round);
      if (isRefused || !has(indexIn(await getManifest(to, tag)), added)) continue;
    }
    await rest(to, 1);
    if (has(indexIn(await getManifest(to, tag)), added)) return;
  }
  throw fail('REGISTRY_TAG_MOVED', {
    what: `others write ${to.host}/${to.repository}:${tag} all the time`,
    why: `${MAX_ROUNDS} times what we added was gone again`,
    fix: 'try again later',
  });
}

/** The tag that keeps account of what is attached to an image. */
export function referrersTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`;
}

/** False when somebody else was faster, and the registry saw it. */
async function put(
  to: Repository,
  tag: string,
  next: Document<Index>,
  before: FoundManifest | undefined,
): Promise<boolean> {
  const condition = before === undefined ? {} : { 'if-match': `"${before.descriptor.digest}"` };
  const { call, answer: answering } = putManifest(to, tag, next, condition);
  const answer = await answering;
  if (answer.status !== 412 && (answer.status < 200 || answer.status > 202))
    throw await to.client.refused(answer, call);
  await answer.drop();
  return answer.status !== 412;
}

/** What stands under the tag and is no account is not ours to understand: it is replaced. */
function indexIn(found: FoundManifest | undefined): Index {
  if (found?.descriptor.mediaType === OCI_INDEX) return parseIndex(found.bytes, OCI_INDEX).value;
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };
}

function has({ manifests }: Index, { digest }: Descriptor): boolean {
  return manifests.some((item) => item.digest === digest);
}

function rest({ client, signal }: Repository, attempt: number): Promise<void> {
  return sleep(pause(attempt, client.rules), undefined, signal === undefined ? {} : { signal });
}

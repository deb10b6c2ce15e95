import { type Digest, isDigest } from '../values/digest.js';
import type { Call } from './client.js';
import { ACCEPT, callOf, getManifest, type Repository } from './manifests.js';

/**
 * What a tag stands for now, with one HEAD where the registry says it there, as all of today's do. That is the registry's
 * word and nothing more: good enough to tell that something is new, not to build on. Undefined when there is no such tag.
 */
export async function digestOfTag(
  from: Repository,
  reference: string,
  more: Partial<Call> = {},
): Promise<Digest | undefined> {
  const call = callOf(from, {
    method: 'HEAD',
    at: `${from.repository}/manifests/${reference}`,
    doing: `read ${from.repository}`,
    headers: { accept: ACCEPT },
    ...more,
  });
  const answer = await from.client.call(call);
  await answer.drop();
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw await from.client.refused(answer, call);
  const digest = answer.header('docker-content-digest');
  return isDigest(digest) ? digest : (await getManifest(from, reference, more))?.descriptor.digest;
}

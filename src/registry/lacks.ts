import type { Lack } from '../blobs/images.js';
import { inParallel } from '../system/limiter.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import { callOf, type Repository } from './manifests.js';
import type { Mounts } from './mounts.js';

/** Which of these blobs a repository lacks: one HEAD for each. The right to read is enough to ask. */
export async function lackedBy(
  to: Repository,
  blobs: readonly Descriptor[],
  mounts: Pick<Mounts, 'sourcesOf'>,
): Promise<readonly Lack[]> {
  const lacking = new Set<Digest>();
  const wanted = new Map(blobs.map((descriptor) => [descriptor.digest, descriptor]));
  await inParallel(wanted.values(), to.client.parallel, async ({ digest }) => {
    if (!(await isThere(to, digest))) lacking.add(digest);
  });
  return [...wanted.values()]
    .filter(({ digest }) => lacking.has(digest))
    .map((descriptor) => {
      const elsewhere = mounts.sourcesOf(to.host, descriptor.digest).some((other) => other !== to.repository);
      return { descriptor, way: elsewhere ? 'mounted' : 'sent' };
    });
}

async function isThere(to: Repository, digest: Digest): Promise<boolean> {
  const at = `${to.repository}/blobs/${digest}`;
  const call = callOf(to, { method: 'HEAD', at, doing: `read ${to.repository}` });
  const answer = await to.client.call(call);
  if (answer.status !== 200 && answer.status !== 404) throw await to.client.refused(answer, call);
  await answer.drop();
  return answer.status === 200;
}

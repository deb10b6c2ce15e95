import { fail } from '../values/error.js';
import { type FoundManifest, putManifest, type Repository } from './manifests.js';
import { readRefusal } from './refusal.js';

/** What became of a manifest that was put: taken, or the registry lacks a blob of it, or a condition did not hold. */
export type Put =
  | { readonly outcome: 'taken'; readonly subject: string | undefined }
  | { readonly outcome: 'misses' | 'moved' };

/**
 * Puts a manifest under its digest, or a tag. A registry that misses a blob which it said it had may have collected it meanwhile:
 * then the blobs are looked at once more. Gives what the registry answered about `subject`. Throws `REGISTRY_FAILED`.
 */
export async function pushManifest(
  to: Repository,
  manifest: FoundManifest,
  pushBlobs: () => Promise<unknown>,
  reference: string = manifest.descriptor.digest,
): Promise<{ readonly subject: string | undefined }> {
  for (let isLast = false; ; isLast = true) {
    const put = await putOnce(to, reference, manifest, { isLast });
    if (put.outcome === 'taken') return put;
    await pushBlobs();
  }
}

/**
 * Puts a manifest under a tag or its digest; `headers` may name a condition. On the last try, a missing blob is an error.
 * Throws `REGISTRY_FAILED`.
 */
export async function putOnce(
  to: Repository,
  reference: string,
  manifest: FoundManifest,
  { isLast, headers }: { readonly isLast: boolean; readonly headers?: Readonly<Record<string, string>> },
): Promise<Put> {
  const { call, answer: answering } = putManifest(to, reference, manifest, headers);
  const answer = await answering;
  if (answer.status === 201 || answer.status === 202 || answer.status === 200) {
    await answer.drop();
    return { outcome: 'taken', subject: answer.header('oci-subject') };
  }
  if (answer.status === 412 && headers !== undefined) {
    await answer.drop();
    return { outcome: 'moved' };
  }
  if (answer.status !== 400 && answer.status !== 404) throw await to.client.refused(answer, call);
  const refusal = await readRefusal(answer, to.client.hide);
  const misses = refusal.codes.some((code) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'BLOB_UNKNOWN');
  if (misses && !isLast) return { outcome: 'misses' };
  const { digest } = manifest.descriptor;
  throw fail('REGISTRY_FAILED', {
    what: `${to.host} does not take the manifest ${digest} of ${to.repository}`,
    why: `it answered ${refusal.status}${refusal.words === '' ? '' : `: ${refusal.words}`}`,
    fix: misses ? 'the registry loses blobs: try again, and tell those who run it' : undefined,
    details: { host: to.host, status: refusal.status, digest },
  });
}

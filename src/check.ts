import { blobsIn } from './cache/cache.js';
import { imagesOf } from './oci/image-index.js';
import { checkFleet, countBases } from './policy/rules/base.js';
import type { Violation } from './policy/violation.js';
import { checkPolicy, type PolicyReport, type PolicyRequest, settlePolicy } from './steps/check-policy.js';
import { inCache } from './steps/in-cache.js';
import { knownBaseOf } from './steps/known-base.js';
import { findSubject } from './steps/subject.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import type { Platform } from './values/platform.js';

/** Which images to check, and what they must keep to. */
export interface CheckRequest extends PolicyRequest {
  /** Places of images, whoever made them. Of an index, all images are checked. */
  readonly images: readonly string[];
  /** The one image of an index to check; all of them if absent. */
  readonly platform?: Platform | undefined;
  /** The place of the base that the images stand on, where they do not lead to it themselves. */
  readonly base?: string | undefined;
  readonly cacheDir: string;
}

/** What was found of one image, and where. */
export interface CheckedPlace extends PolicyReport {
  /** As it was named in the request. */
  readonly image: string;
}

export interface CheckResult {
  /** Whether there is no violation at all. */
  readonly ok: boolean;
  readonly images: readonly CheckedPlace[];
  /** How many images stand on each base, by digest. */
  readonly bases: Readonly<Record<string, number>>;
  /** What speaks against the images taken together. */
  readonly fleet: readonly Violation[];
}

/**
 * Tells whether images keep to a policy. Nothing is unpacked and nothing is written but the cache. Throws `POLICY_INVALID`, and what
 * reading throws; that an image breaks the policy is no error here.
 */
export async function check(request: CheckRequest, givenTools: GivenTools): Promise<CheckResult> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const settled = settlePolicy(request);
    const images: CheckedPlace[] = [];
    for (const name of request.images) {
      const { whole, blobs, place } = await findSubject(name, request, blobsIn(cache), tools);
      for (const image of imagesOf(whole)) {
        const base = await knownBaseOf(image, { place, base: request.base }, settled.policy, cache, tools);
        images.push({ image: name, ...(await checkPolicy({ image, blobs, base }, settled, cache, tools)) });
      }
    }
    const bases = images.map(({ base }) => base);
    const fleet = checkFleet(bases, settled.policy);
    const ok = fleet.length === 0 && images.every(({ violations }) => violations.length === 0);
    return { ok, images, bases: countBases(bases), fleet };
  });
}

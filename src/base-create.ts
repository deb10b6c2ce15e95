import { suiteNamed } from './base/suites.js';
import { type CreatedImages, createBase } from './steps/create-base.js';
import { inCache } from './steps/in-cache.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import { fail } from './values/error.js';
import { parsePlace } from './values/place.js';

/** What to make a base of, and where to write it. */
export interface BaseCreateRequest {
  /** `debian-12` or `debian-13`. */
  readonly suite: string;
  /** An `oci:DIR` place, without a tag: the images are tagged `run` and `build`. */
  readonly to: string;
  /** More packages for both images. */
  readonly include: readonly string[];
  /** Whether the distribution's security fixes are installed. Without them there is a true successor to rebase to. */
  readonly security: boolean;
  readonly only?: 'run' | undefined;
  readonly cacheDir: string;
}

/**
 * Makes a base of a distribution's packages, from the mirrors that this machine's apt uses: one image to run apps on and one
 * to build them on. Throws `BASE_SUITE_UNKNOWN`, `BASE_CREATE_FAILED`, `TOOL_MISSING`, `PLACE_UNSUPPORTED`.
 */
export async function baseCreate(request: BaseCreateRequest, givenTools: GivenTools): Promise<CreatedImages> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const suite = suiteNamed(request.suite);
    const place = parsePlace(request.to);
    if (place.kind !== 'oci' || place.tag !== undefined || place.digest !== undefined) {
      throw fail('PLACE_UNSUPPORTED', {
        what: `a base cannot be written to ${request.to}`,
        why: 'it is two images, which get the tags run and build in one layout',
        fix: `pack-build base create ${request.suite} --to oci:DIR`,
      });
    }
    return createBase({ ...request, suite, path: place.path }, cache, tools);
  });
}

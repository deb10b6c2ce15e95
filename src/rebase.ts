import { unionOf } from './blobs/union.js';
import { blobsIn, type Cache } from './cache/cache.js';
import { layersOf } from './oci/image.js';
import { digestOfWhole, imagesOf, rootOf, type Whole } from './oci/image-index.js';
import { mapImages } from './oci/map-images.js';
import type { Waivers } from './oci/rebase-checks.js';
import type { RebasePlan } from './oci/rebase-plan.js';
import { checkFleet } from './policy/rules/base.js';
import {
  checkPolicy,
  type PolicyReport,
  type PolicyRequest,
  requirePolicy,
  type SettledPolicy,
  settlePolicy,
} from './steps/check-policy.js';
import { inCache } from './steps/in-cache.js';
import { proved } from './steps/known-base.js';
import { type ApartImage, type MovedImage, moveImage, moveOf } from './steps/move-image.js';
import { newBaseFor } from './steps/new-base.js';
import { parseTargets, putImage } from './steps/put-image.js';
import { readPlace } from './steps/read-place.js';
import { type Smoke, type SmokeRequest, smokeTest } from './steps/smoke-test.js';
import { findSubject, inPlace, type Subject, tellOfDropped } from './steps/subject.js';
import { sweepCache } from './steps/sweep-cache.js';
import { takeApart } from './steps/take-apart.js';
import { type GivenTools, settleTools, type Tools } from './steps/tools.js';
import { type Transfer, transfersTo } from './steps/transfers.js';
import { type WithDefaults, withDefaults } from './values/defaults.js';
import type { Digest } from './values/digest.js';
import { fail } from './values/error.js';
import type { Place } from './values/place.js';
import { formatPlatform, type Platform } from './values/platform.js';

/** Which image to move, to which base, and where the result goes. */
export interface RebaseRequest {
  /** The place of an image, or of an index of images (`oci:DIR:TAG`). */
  readonly image: string;
  /** The new base's place; if absent, what the image's base is called in its registry. A local name cannot be looked up. */
  readonly base?: string | undefined;
  /** The place of the base that an image of others was built on, where the image does not say it. */
  readonly oldBase?: string | undefined;
  /** Places to write to; the image's own place if there are none. */
  readonly to?: readonly string[] | undefined;
  /** The one image of an index to move; all of them if absent. */
  readonly platform?: Platform | undefined;
  /** What is accepted although a check speaks against it; nothing if absent. */
  readonly waivers?: Waivers | undefined;
  /** Believe the list of files that is attached to the new base in its registry; if false or absent, its layers are read. */
  readonly trustAttached?: boolean | undefined;
  /** What the app must pass on the new base before anything is written; nothing if absent. A plan does not run it. */
  readonly smoke?: SmokeRequest | undefined;
  /** Keep what a tag stood for under a tag of its own, for `undoRebase`. Who keeps account of that needs none. */
  readonly keepPrevious?: boolean | undefined;
  /** What each image must keep to on its new base, else nothing is written; anything goes if absent. */
  readonly policy?: PolicyRequest | undefined;
  /** Look at everything and write nothing. */
  readonly planOnly?: boolean | undefined;
  readonly cacheDir: string;
}

const DEFAULTS = {
  to: [] as readonly string[],
  waivers: {} as Waivers,
  planOnly: false as boolean,
  trustAttached: false as boolean,
  keepPrevious: true as boolean,
};

type Settled = WithDefaults<RebaseRequest, typeof DEFAULTS>;

/** What a rebase did, or with `planOnly` would do. */
export interface RebaseResult {
  /** Of what was written, an image's manifest or an index; with `planOnly`, of what would be. */
  readonly digest: Digest;
  /** Of what was there before. */
  readonly previous: Digest;
  readonly references: readonly string[];
  readonly image: Whole;
  /** One for each image, in the order of the index. */
  readonly plans: readonly RebasePlan[];
  /** How the command of `smoke` ended, if it was run. */
  readonly smoke: Smoke | undefined;
  /** With `planOnly`, what would move to each place. */
  readonly transfers: readonly Transfer[];
}

/**
 * Puts an image's app on another base, without a build and without touching a byte of its layers. Of an image of ours, the
 * result is the image that a build on the new base would have made. Of an index, all images move to one release of the base.
 *
 * Throws what `takeApart` throws, `REBASE_NO_BASE_NAME`, `REBASE_PLATFORM_MISMATCH`, the code of the first check that fails
 * without a waiver, `POLICY_VIOLATED`, `REBASE_SMOKE_FAILED`, `REGISTRY_MOUNT_REFUSED`, and what reading, the sandbox and writing throw. Nothing is written unless all
 * is well with every image.
 */
export async function rebase(given: RebaseRequest, givenTools: GivenTools): Promise<RebaseResult> {
  const tools = settleTools(givenTools);
  return inCache(given.cacheDir, tools.signal, async (cache) => {
    const request = withDefaults(given, DEFAULTS);
    const { image, platform, planOnly } = request;
    const policy = request.policy && settlePolicy(request.policy);
    const isInPlace = request.to.length === 0;
    await sweepCache(cache);
    const subject = await findSubject(image, { platform, isMoved: isInPlace }, blobsIn(cache), tools);
    const places = await placesFor(subject, request, tools);
    const moved = await moveAll(subject, request, cache, tools);
    if (!planOnly) requireAll(moved);
    if (policy !== undefined) await requireMoved(moved, subject, policy, cache, tools);

    const previous = digestOfWhole(subject.whole);
    const after = mapImages(subject.whole, moveOf(moved));
    tellOfDropped(subject.whole, after, tools.on);
    const result = { digest: digestOfWhole(after), previous, image: after, plans: moved.map(({ plan }) => plan) };
    if (planOnly) {
      return { ...result, references: [], transfers: await transfersTo(after, places, tools), smoke: undefined };
    }

    const blobs = unionOf(subject.blobs, ...moved.map(({ base }) => base.blobs));
    const smoke = request.smoke && (await smokeTest(after, blobs, request.smoke, cache, tools));
    const kept = request.keepPrevious ? rootOf(subject.whole) : undefined;
    const replacing = isInPlace ? { expected: previous, kept } : undefined;
    const onlyMounted = request.waivers.uploadBase ? undefined : layersOfBases(moved);
    const references = await putImage(after, blobs, places, tools, { replacing, onlyMounted });
    return { ...result, references, transfers: [], smoke };
  });
}

/** Where the result goes, or with `planOnly` would go: who cannot write there learns it before the work. */
async function placesFor(subject: Subject, { to, planOnly }: Settled, tools: Tools): Promise<readonly Place[]> {
  if (to.length > 0) return planOnly ? Promise.all(to.map(readPlace)) : parseTargets(to, tools, subject.whole);
  // One image of an index has no place of its own, and can be planned all the same.
  return planOnly && subject.index !== undefined ? [] : [inPlace(subject)];
}

/** Takes every image apart, finds the base for all of them, and puts each on it. Writes nothing. */
async function moveAll(
  { place, whole, blobs }: Subject,
  request: Settled,
  cache: Cache,
  tools: Tools,
): Promise<readonly MovedImage[]> {
  const { oldBase, waivers, planOnly, trustAttached } = request;
  const apart: ApartImage[] = [];
  for (const image of imagesOf(whole))
    apart.push({ image, parts: await takeApart(image, { place, oldBase }, cache, tools) });
  const baseFor = newBaseFor(apart, request, cache, tools);
  const tellAll = planOnly || place.kind !== 'registry';
  const moved: MovedImage[] = [];
  for (const one of apart) {
    const base = await baseFor(one.parts.app.platform);
    moved.push(await moveImage(one, base, { blobs, tellAll, trustAttached, waivers, cache, tools }));
  }
  return moved;
}

async function requireMoved(
  moved: readonly MovedImage[],
  subject: Subject,
  policy: SettledPolicy,
  cache: Cache,
  tools: Tools,
): Promise<void> {
  const reports: PolicyReport[] = [];
  for (const { after, base } of moved) {
    const checked = { image: after, blobs: unionOf(subject.blobs, base.blobs), base: proved(after, base) };
    reports.push(await checkPolicy(checked, policy, cache, tools));
  }
  const bases = reports.map(({ base }) => base);
  requirePolicy(reports, checkFleet(bases, policy.policy));
}

/** What a rebase has no need to send: the registry that has the base can take it over from there. */
function layersOfBases(moved: readonly MovedImage[]): ReadonlySet<Digest> {
  return new Set(moved.flatMap(({ base }) => layersOf(base.base.image).map(({ descriptor }) => descriptor.digest)));
}

function requireAll(moved: readonly MovedImage[]): void {
  for (const { plan } of moved) {
    const failed = plan.checks.find(({ verdict }) => verdict === 'fails');
    if (failed === undefined) continue;
    const which = moved.length === 1 ? 'the image' : `the image for ${formatPlatform(plan.platform)}`;
    throw fail(failed.code, {
      what: `${which} cannot be moved to this base: ${failed.message}`,
      fix:
        failed.waiver === undefined
          ? 'name a base for the same platform'
          : `name another base, or accept it with ${failed.waiver}`,
      details: { check: failed.name, platform: formatPlatform(plan.platform) },
    });
  }
}

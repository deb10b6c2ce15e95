import { blobsIn } from './cache/cache.js';
import { type BaseHint, baseHintsOf, layersByLabel } from './oci/foreign-seam.js';
import { type Image, labelsOf } from './oci/image.js';
import { parseRecord, RECORD_LABEL } from './oci/record.js';
import { type Split, split } from './oci/split.js';
import { inCache } from './steps/in-cache.js';
import { openSource } from './steps/open-place.js';
import { readPlace } from './steps/read-place.js';
import { type ResolveOptions, resolveBase } from './steps/resolve-base.js';
import { type GivenTools, settleTools, type Tools } from './steps/tools.js';
import type { Digest } from './values/digest.js';
import { fail, isFailure } from './values/error.js';
import { defined } from './values/json.js';
import { digestOfPlace, isFullReference } from './values/place.js';
import type { Platform } from './values/platform.js';

/** Whose base to ask after. */
export interface OutdatedRequest {
  readonly image: string;
  /** Where the base is; if absent, where the image says that it came from. A local name cannot be looked up. */
  readonly base?: string | undefined;
  readonly platform: Platform;
  readonly cacheDir: string;
}

/** What an image stands on, and what the base's name stands for now. */
export interface Outdated {
  readonly name: string;
  /** Digests of the index that the base was chosen from, or of the base itself. */
  readonly from: Digest;
  readonly now: Digest;
  readonly isOutdated: boolean;
}

/**
 * Tells whether there is a newer base for an image: reads the image's documents, and asks the registry what the base's tag
 * stands for, with one HEAD. Throws `REBASE_NO_BASE_NAME`, `BASE_NOT_FOUND`, and what reading throws.
 */
export async function baseOutdated(request: OutdatedRequest, givenTools: GivenTools): Promise<Outdated> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const { platform, image: reference } = request;
    const store = blobsIn(cache);
    const { image } = await openSource(await readPlace(reference), store, tools).find(platform);
    const { name, digests } = baseOf(image);
    const [from] = digests;
    if (from === undefined) throw noDigest(reference, name);
    const asked = request.base ?? name;
    const now =
      request.base === undefined
        ? await digestOf(reference, name, tools)
        : await digestOfGiven(request.base, { platform, store, on: tools.on, registries: tools.registries });
    return { name: asked ?? '', from, now, isOutdated: !digests.includes(now) };
  });
}

/** The name of the base below, and the digests that it goes by: of its index first. */
function baseOf(image: Image): { readonly name: string | undefined; readonly digests: readonly Digest[] } {
  if (labelsOf(image)[RECORD_LABEL] === undefined) {
    const { name, digest } = hintedBase(image) ?? {};
    return { name, digests: digest === undefined ? [] : [digest] };
  }
  const { name, digest, index } = recordedBase(image);
  return { name, digests: index === undefined ? [digest] : [index, digest] };
}

/**
 * What others wrote down with a digest. The label of CNB comes first, as long as the layers are those that it tells of: a tool
 * that knows only the annotations leaves it as it was.
 */
function hintedBase(image: Image): BaseHint | undefined {
  const hints = baseHintsOf(image);
  const pinned = hints.filter(({ digest }) => digest !== undefined);
  return pinned.find(({ by }) => by !== 'cnb' || isLabelTrue(image)) ?? pinned[0] ?? hints[0];
}

function isLabelTrue(image: Image): boolean {
  try {
    return layersByLabel(image) !== undefined;
  } catch (error) {
    if (isFailure(error, 'REBASE_SEAM_BROKEN')) return false;
    throw error;
  }
}

/** What the record says, unless another tool has moved the image since: then what that tool wrote, which is not the record's. */
function recordedBase(image: Image): Pick<Split['base'], 'name' | 'digest' | 'index'> {
  try {
    return split(image).base;
  } catch (error) {
    if (!isFailure(error, 'REBASE_SEAM_BROKEN')) throw error;
    const recorded = parseRecord(labelsOf(image)[RECORD_LABEL] ?? '').base.digest;
    const hint = baseHintsOf(image).find(({ digest }) => digest !== undefined && digest !== recorded);
    if (hint?.digest === undefined) throw error;
    return defined({ name: hint.name, digest: hint.digest });
  }
}

async function digestOf(image: string, name: string | undefined, { registries }: Tools): Promise<Digest> {
  if (!isFullReference(name) || registries === undefined) throw noName(image, name);
  const now = await registries.digestOf(name, { isHint: true });
  if (now !== undefined) return now;
  throw fail('BASE_NOT_FOUND', {
    what: `there is no base at ${name} any more`,
    fix: `name another one: pack-build base outdated ${image} --base REF`,
  });
}

/** A tag of a registry is only looked up: nobody wants to read the base. */
async function digestOfGiven(base: string, options: ResolveOptions): Promise<Digest> {
  const place = await readPlace(base);
  if (place.kind === 'registry' && digestOfPlace(place) === undefined && options.registries !== undefined) {
    const now = await options.registries.digestOf(place.reference);
    if (now !== undefined) return now;
  }
  return (await resolveBase(base, options)).pinned;
}

function noDigest(image: string, name: string | undefined) {
  return fail('REBASE_NO_BASE_NAME', {
    what: 'it is not known which base the image stands on',
    why:
      name === undefined
        ? 'the image does not say what it was built on'
        : `the image says ${name}, and no digest, and what that name stood for then nobody knows`,
    fix: `see what another base would change: pack-build rebase ${image} --old-base OLD --base NEW --plan`,
  });
}

function noName(image: string, name: string | undefined) {
  return fail('REBASE_NO_BASE_NAME', {
    what: "the base's name cannot be looked up",
    why:
      name === undefined
        ? 'the image does not say what its base was called'
        : `the image says ${name}, which is a local name`,
    fix: `say where the base is: pack-build base outdated ${image} --base REF`,
  });
}

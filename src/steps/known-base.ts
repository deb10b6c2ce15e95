import { blobsIn, type Cache } from '../cache/cache.js';
import { type BaseHint, baseHintsOf, layersBelow, layersByLabel } from '../oci/foreign-seam.js';
import { digestOfImage, type Image, platformOf } from '../oci/image.js';
import { split, splitMoved } from '../oci/split.js';
import type { Policy } from '../policy/policy.js';
import type { KnownBase } from '../policy/scan.js';
import { isFailure } from '../values/error.js';
import { formatPlace, type Place, parsePlace, withDigest } from '../values/place.js';
import { openSource } from './open-place.js';
import { type ResolvedBase, resolveBase } from './resolve-base.js';
import type { Tools } from './tools.js';

export interface KnownBaseRequest {
  /** Where the image was found. */
  readonly place: Place;
  /** The place of a base that somebody other than the image names. */
  readonly base?: string | undefined;
}

/**
 * The base below an image. Where a policy says which bases are allowed, it is looked for by its digest, in the registry that
 * the image names and beside the image itself, and compared layer by layer. Else the image's own word is enough: whoever
 * could lie there could as well have made a base to their liking. Undefined where nobody says anything that is true.
 */
export async function knownBaseOf(
  image: Image,
  request: KnownBaseRequest,
  policy: Policy,
  cache: Cache,
  tools: Tools,
): Promise<KnownBase | undefined> {
  if (request.base !== undefined) {
    const { on, registries } = tools;
    const options = { platform: platformOf(image), store: blobsIn(cache), on, registries };
    const base = await resolveBase(request.base, options);
    return orNone(() => proved(image, base)) ?? claimedBy(image);
  }
  const { allow, maxAgeDays, maxDistinct } = policy.bases ?? {};
  const isAsked = allow !== undefined || maxAgeDays !== undefined || maxDistinct !== undefined;
  return (isAsked ? await provedByHints(image, request.place, cache, tools) : undefined) ?? claimedBy(image);
}

/**
 * What is known of a base that was found, if the image stands on it. A name counts only if a registry has the base under it:
 * in files, everybody may choose one. Throws `REBASE_SEAM_BROKEN`.
 */
export function proved(image: Image, { base, pinned, reference }: Omit<ResolvedBase, 'blobs'>): KnownBase {
  return {
    layers: layersBelow(image, base.image),
    digests: [...new Set([digestOfImage(base.image), pinned])],
    name: parsePlace(reference).kind === 'registry' ? base.name : undefined,
    created: base.image.config.value.created,
    isProved: true,
  };
}

async function provedByHints(image: Image, place: Place, cache: Cache, tools: Tools): Promise<KnownBase | undefined> {
  for (const hint of orNone(() => baseHintsOf(image)) ?? []) {
    for (const candidate of candidatesFor(hint, place, tools)) {
      const found = await foundAt(candidate.place, image, cache, tools);
      if (found !== undefined) return { ...found, name: candidate.name };
    }
  }
  return undefined;
}

/** What lies in the registry under its name may go by that name. */
function candidatesFor({ name, digest }: BaseHint, place: Place, { registries }: Tools) {
  if (digest === undefined) return [];
  const named = name === undefined || registries === undefined ? [] : [{ place: parsePlace(`docker://${name}`), name }];
  const beside = place.kind === 'docker-archive' || place.kind === 'oci-archive' ? [] : [{ place, name: undefined }];
  return [...named, ...beside].map((one) => ({ ...one, place: withDigest(one.place, digest) }));
}

/** A base that cannot be had or is another one proves nothing. */
async function foundAt(place: Place, image: Image, cache: Cache, tools: Tools): Promise<KnownBase | undefined> {
  try {
    const source = openSource(place, blobsIn(cache), tools, { isHint: true });
    const { image: base, index } = await source.find(platformOf(image));
    return proved(image, {
      base: { image: base },
      pinned: index ?? digestOfImage(base),
      reference: formatPlace(place),
    });
  } catch (error) {
    if (!isFailure(error) || isFailure(error, 'INTERRUPTED', 'DISK_FULL')) throw error;
    return undefined;
  }
}

function claimedBy(image: Image): KnownBase | undefined {
  const layers =
    orNone(() => split(image).base.layers.length) ??
    orNone(() => splitMoved(image).below) ??
    orNone(() => layersByLabel(image));
  if (layers === undefined) return undefined;
  const [hint] = orNone(() => baseHintsOf(image)) ?? [];
  const made = image.config.value.history?.filter(({ empty_layer }) => empty_layer !== true) ?? [];
  const digests = hint?.digest === undefined ? [] : [hint.digest];
  return { layers, digests, name: hint?.name, created: made[layers - 1]?.created, isProved: false };
}

function orNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
}

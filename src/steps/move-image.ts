import type { BlobReader } from '../blobs/store.js';
import type { Cache } from '../cache/cache.js';
import { digestOfImage, type Image } from '../oci/image.js';
import type { Move } from '../oci/map-images.js';
import type { Parts } from '../oci/parts.js';
import type { Waivers } from '../oci/rebase-checks.js';
import { planRebase, type RebasePlan } from '../oci/rebase-plan.js';
import { parsePlace } from '../values/place.js';
import type { TrustedPlace } from './attached-files.js';
import { providesOf } from './base-provides.js';
import { requireRunBase } from './check-run-base.js';
import { compareBases } from './compare-bases.js';
import type { ResolvedBase } from './resolve-base.js';
import type { Tools } from './tools.js';

/** An image, taken apart. */
export interface ApartImage {
  readonly image: Image;
  readonly parts: Parts;
}

/** What becomes of an image on another base, and what speaks for and against it. */
export interface MovedImage {
  readonly before: Image;
  readonly after: Image;
  readonly base: ResolvedBase;
  readonly plan: RebasePlan;
}

export interface MoveOptions {
  /** Where the image's layers are. */
  readonly blobs: BlobReader;
  readonly waivers: Waivers;
  /** Read the layers of the old base, and those of an app of others, if need be, only to say what changes. */
  readonly tellAll: boolean;
  /** Believe the list of files that is attached to a base in a registry. */
  readonly trustAttached: boolean;
  readonly cache: Cache;
  readonly tools: Tools;
}

/** Compares the base of an image with the next one, and puts its app there. Writes nothing. Throws as `requireRunBase`. */
export async function moveImage(
  { image, parts }: ApartImage,
  base: ResolvedBase,
  { blobs, waivers, tellAll, trustAttached, cache, tools }: MoveOptions,
): Promise<MovedImage> {
  const attachedAt = trustAttached ? attachedPlaceOf(base) : undefined;
  const provides = await providesOf(base.base.image, base.blobs, cache, tools, attachedAt);
  if (parts.app.needs !== undefined) requireRunBase(provides.inventory, base.reference, tools.on);
  const allowOlder = waivers.downgrade === true;
  const change = await compareBases({ image, blobs }, parts, provides, { tellAll, allowOlder, cache, tools });
  const onto = parts.onto(base.base);
  const plan = planRebase(image, parts, base.base, onto, change, waivers);
  return { before: image, after: onto.image, base, plan };
}

function attachedPlaceOf({ reference, isHint }: ResolvedBase): TrustedPlace | undefined {
  const place = parsePlace(reference);
  return place.kind === 'registry' ? { reference: place.reference, isHint } : undefined;
}

/** What became of each of these images, and the base that all of them stand on. */
export function moveOf(moved: readonly MovedImage[]): Move {
  const after = new Map(moved.map((one) => [digestOfImage(one.before), one.after]));
  return { move: (image) => after.get(digestOfImage(image)) ?? image, base: moved[0]?.base.base ?? {} };
}

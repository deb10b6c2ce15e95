import type { FoundWhole } from '../blobs/images.js';
import type { BlobStore } from '../blobs/store.js';
import { imagesOf, othersOf, type Whole } from '../oci/image-index.js';
import type { Digest } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { Listener } from '../values/events.js';
import { defined } from '../values/json.js';
import { digestOfPlace, formatPlace, type Place } from '../values/place.js';
import type { Platform } from '../values/platform.js';
import { openSource } from './open-place.js';
import { readPlace } from './read-place.js';
import type { Tools } from './tools.js';

/** What a verb is to change: an image or an index, where it is. */
export interface Subject extends FoundWhole {
  readonly place: Place;
  /** The index that one image was chosen from. */
  readonly index?: Digest | undefined;
}

/** What of a name is meant. */
export interface SubjectRequest {
  /** The one image of an index; all that the name stands for if absent. */
  readonly platform?: Platform | undefined;
  /** What it becomes is to take its place. */
  readonly isMoved?: boolean;
}

/**
 * Finds all that a name stands for, or of it the one image for `platform`. Throws `IMAGE_NOT_FOUND`, also for an index without
 * images, and what reading throws.
 */
export async function findSubject(
  text: string,
  { platform, isMoved }: SubjectRequest,
  store: BlobStore,
  tools: Tools,
): Promise<Subject> {
  const place = await readPlace(text);
  const source = openSource(place, store, tools, { isMoved });
  if (platform !== undefined) {
    const { image, ...found } = await source.find(platform);
    return { ...found, place, whole: image };
  }
  const found = await source.findWhole();
  if (imagesOf(found.whole).length > 0) return { ...found, place };
  throw fail('IMAGE_NOT_FOUND', { what: `${formatPlace(place)} is an index that names no image` });
}

/** Where the subject came from, by the name that it has there: what it becomes takes that over. Throws `PLACE_UNSUPPORTED`. */
export function inPlace({ place, name, index }: Subject): Place {
  if (index !== undefined) {
    throw fail('PLACE_UNSUPPORTED', {
      what: `${formatPlace(place)} is an index of images for several platforms, which one image cannot replace`,
      why: `the index is ${index}`,
      fix: 'leave out --platform to move all of its images, or name a place for the one with --to',
    });
  }
  if (place.kind === 'registry') return place;
  const { path } = place;
  if (place.kind === 'docker-archive') return defined({ kind: place.kind, path, reference: place.reference ?? name });
  const tag = place.tag ?? name;
  if (place.kind === 'oci' && tag === undefined && digestOfPlace(place) !== undefined) {
    throw fail('PLACE_UNSUPPORTED', {
      what: `${formatPlace(place)} has no tag that could be moved`,
      fix: 'name the image by a tag, or a place for the result with --to',
    });
  }
  return defined({ kind: place.kind, path, tag });
}

/** Says what of an index was not taken along: what tells of images that are no longer in it cannot be true of the new ones. */
export function tellOfDropped(before: Whole, after: Whole, on: Listener): void {
  const dropped = othersOf(before).length - othersOf(after).length;
  if (dropped === 0) return;
  on({
    type: 'notice',
    code: 'ATTESTATIONS_DROPPED',
    message: `what the index has beside images, such as attestations that tell of the old ones, is left out (${dropped} of its entries). The old index still has them`,
  });
}

import type { FoundImage } from '../blobs/images.js';
import type { BlobReader, BlobStore } from '../blobs/store.js';
import { type Base, digestOfImage, platformOf } from '../oci/image.js';
import type { Registries } from '../registry/access.js';
import type { Digest } from '../values/digest.js';
import { fail, isFailure } from '../values/error.js';
import type { Listener } from '../values/events.js';
import { defined } from '../values/json.js';
import { digestOfPlace, type Place, withDigest } from '../values/place.js';
import { formatPlatform, type Platform, samePlatform } from '../values/platform.js';
import { openSource } from './open-place.js';
import { readPlace } from './read-place.js';

/** A base that was found, with what pins it. */
export interface ResolvedBase {
  /** As the user wrote it. */
  readonly reference: string;
  readonly base: Base;
  readonly blobs: BlobReader;
  /** The digest that the reference stands for: of the index, if it names one. */
  readonly pinned: Digest;
  /** An image names the base, not the user: for whatever else is asked of its registry. */
  readonly isHint?: boolean | undefined;
}

export interface ResolveOptions {
  readonly platform: Platform;
  readonly store: BlobStore;
  readonly on: Listener;
  readonly registries: Registries | undefined;
  /** An image names the base, not the user. */
  readonly isHint?: boolean | undefined;
  /** What the lock says the reference stands for. */
  readonly locked?: Digest | undefined;
  /** The lock may not change. */
  readonly frozen?: boolean | undefined;
}

/**
 * Resolves a base once: a name through the lock, if it has the name, and otherwise anew. Throws `BASE_NOT_FOUND`,
 * `BASE_NOT_AN_IMAGE`, `BASE_PLATFORM`, `LOCK_FROZEN`, and what reading throws.
 */
export async function resolveBase(reference: string, options: ResolveOptions): Promise<ResolvedBase> {
  const place = await readPlace(reference);
  const named = digestOfPlace(place) === undefined;
  if (named && options.frozen && options.locked === undefined) throw notLocked(reference);
  const resolved = (await findLocked(reference, place, options)) ?? (await find(reference, place, options));
  if (named && options.locked !== undefined && resolved.pinned !== options.locked)
    moved(reference, resolved.pinned, options);
  return resolved;
}

/** What the lock names, as long as the place still has it. A name that has moved on since is worth a word. */
async function findLocked(reference: string, place: Place, options: ResolveOptions): Promise<ResolvedBase | undefined> {
  const { locked } = options;
  // An archive has no more than one image under a name.
  const keepsOld = place.kind === 'oci' || place.kind === 'registry';
  if (locked === undefined || !keepsOld || digestOfPlace(place) !== undefined) return undefined;
  try {
    const resolved = await find(reference, withDigest(place, locked), options);
    await tellIfMoved(reference, place, options);
    return resolved;
  } catch (error) {
    if (isFailure(error, 'BASE_NOT_FOUND', 'BLOB_NOT_FOUND')) return undefined;
    throw error;
  }
}

async function find(
  reference: string,
  place: Place,
  { platform, store, registries, isHint }: ResolveOptions,
): Promise<ResolvedBase> {
  const found = await openSource(place, store, { registries }, { isHint, isBase: true })
    .find(platform)
    .catch((error: unknown) => {
      throw explained(reference, error);
    });
  requirePlatform(reference, found, platform);
  const { image, name, index, blobs } = found;
  return { reference, base: defined({ image, name, index }), blobs, pinned: index ?? digestOfImage(image), isHint };
}

async function tellIfMoved(reference: string, place: Place, options: ResolveOptions): Promise<void> {
  const now = await digestNow(reference, place, options).catch(() => undefined);
  if (now === undefined || now === options.locked) return;
  options.on({
    type: 'notice',
    code: 'LOCK_KEEPS_OLD',
    message: `${reference} now is ${now}; the lock keeps ${options.locked}. To follow, remove its line from pack-build.lock`,
  });
}

/** What a name stands for now. A registry is asked once and quickly: nothing depends on it. */
async function digestNow(reference: string, place: Place, options: ResolveOptions): Promise<Digest | undefined> {
  const { registries, isHint } = options;
  if (place.kind !== 'registry' || registries === undefined) return (await find(reference, place, options)).pinned;
  return registries.digestOf(place.reference, { isHint, isQuick: true });
}

/** The place no longer has what the lock names. */
function moved(reference: string, now: Digest, { locked, frozen, on }: ResolveOptions): void {
  if (frozen) {
    throw fail('LOCK_FROZEN', {
      what: `the lock would change: ${reference} is no longer what pack-build.lock says`,
      why: `locked ${locked}, found ${now}`,
      fix: 'build without --frozen to take the new one, and keep the new pack-build.lock',
    });
  }
  on({
    type: 'notice',
    code: 'LOCK_CHANGED',
    message: `${reference} no longer has ${locked}; the lock now says ${now}`,
  });
}

function notLocked(reference: string) {
  return fail('LOCK_FROZEN', {
    what: `the lock would change: ${reference} is not in pack-build.lock`,
    why: '--frozen builds only from what the lock names',
    fix: 'build once without --frozen and keep pack-build.lock, or name the base by its digest: oci:DIR@sha256:…',
  });
}

function requirePlatform(reference: string, { image }: FoundImage, platform: Platform): void {
  if (samePlatform(platformOf(image), platform)) return;
  throw fail('BASE_PLATFORM', {
    what: `the base ${reference} is for another platform`,
    why: `it is ${formatPlatform(platformOf(image))}, the build is for ${formatPlatform(platform)}`,
    fix: 'name a base for this platform, or choose the platform with --platform OS/ARCH',
  });
}

const MAKE_ONE =
  'make one: pack-build base create debian-12 --to oci:DIR, then --base oci:DIR:run --build-base oci:DIR:build';

/** Where there is nothing at all at a path, a base can be made there. */
function explained(reference: string, error: unknown): unknown {
  if (isFailure(error, 'IMAGE_NOT_FOUND')) {
    return fail('BASE_NOT_FOUND', {
      what: `there is no base at ${reference}`,
      why: error.why,
      fix: (error.details['path'] === undefined ? error.fix : undefined) ?? MAKE_ONE,
      cause: error,
    });
  }
  if (isFailure(error, 'LAYOUT_INVALID', 'IMAGE_INVALID', 'ARCHIVE_INVALID')) {
    return fail('BASE_NOT_AN_IMAGE', {
      what: `the base ${reference} is not an image that can be read`,
      why: [error.message, error.why].filter(Boolean).join('\n'),
      cause: error,
    });
  }
  return error;
}

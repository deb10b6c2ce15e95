import { type Index, parseConfig, parseIndex, parseManifest } from '../oci/documents.js';
import type { Image } from '../oci/image.js';
import { isConfig, isIndex, isManifest } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import { fail } from '../values/error.js';
import { defined } from '../values/json.js';
import { formatPlatform, type Platform, samePlatform } from '../values/platform.js';
import type { BlobReader } from './store.js';

/** Indexes within indexes are followed this far. */
export const MAX_NESTING = 4;

/** Reads the image that a descriptor means: the one of `platform` when it is an index. Throws `IMAGE_INVALID`, `IMAGE_NOT_FOUND`. */
export async function findImage(
  descriptor: Descriptor,
  platform: Platform,
  blobs: Pick<BlobReader, 'read'>,
  place: string,
): Promise<{ readonly image: Image; readonly index?: Digest }> {
  if (!isIndex(descriptor.mediaType)) return { image: await readImage(descriptor, blobs, place) };
  const chosen = await choose(descriptor, platform, blobs, place, MAX_NESTING);
  return defined({ image: await readImage(chosen, blobs, place), index: descriptor.digest });
}

/** Reads manifest and config, each verified. Throws `BASE_NOT_AN_IMAGE`-worthy trouble as `IMAGE_INVALID`. */
export async function readImage(
  descriptor: Descriptor,
  blobs: Pick<BlobReader, 'read'>,
  place: string,
): Promise<Image> {
  if (!isManifest(descriptor.mediaType)) {
    throw fail('IMAGE_INVALID', {
      what: `${place} is not an image`,
      why: `it has the media type ${descriptor.mediaType}`,
    });
  }
  const manifest = parseManifest(await blobs.read(descriptor), descriptor.mediaType);
  const { config } = manifest.value;
  if (!isConfig(config.mediaType)) {
    throw fail('IMAGE_INVALID', {
      what: `${place} is an artifact, not an image to run`,
      why: `its config has the media type ${config.mediaType}`,
    });
  }
  return { manifest, config: parseConfig(await blobs.read(config), config.mediaType) };
}

/** The error for indexes that are nested without end, or nearly so. */
export function nestedTooDeep(place: string) {
  return fail('IMAGE_INVALID', { what: `${place}: indexes are nested more than ${MAX_NESTING} levels deep` });
}

async function choose(
  at: Descriptor,
  platform: Platform,
  blobs: Pick<BlobReader, 'read'>,
  place: string,
  depth: number,
): Promise<Descriptor> {
  if (depth === 0) throw nestedTooDeep(place);
  const index = parseIndex(await blobs.read(at), at.mediaType);
  const match = matching(index.value, platform);
  if (match === undefined) {
    throw fail('IMAGE_NOT_FOUND', {
      what: `${place} has no image for ${formatPlatform(platform)}`,
      why: `it has images for ${platformsOf(index.value).join(', ') || 'no platform'}`,
      fix: 'choose one of these with --platform OS/ARCH, or another image',
      details: { platforms: platformsOf(index.value) },
    });
  }
  return isIndex(match.mediaType) ? choose(match, platform, blobs, place, depth - 1) : match;
}

/** A child without a platform is taken only when it is the only one. */
function matching({ manifests }: Index, platform: Platform): Descriptor | undefined {
  const [only, ...others] = manifests;
  const exact = manifests.find((child) => child.platform !== undefined && samePlatform(child.platform, platform));
  return exact ?? (others.length === 0 && only?.platform === undefined ? only : undefined);
}

function platformsOf({ manifests }: Index): readonly string[] {
  return manifests.flatMap((child) => (child.platform === undefined ? [] : [formatPlatform(child.platform)]));
}

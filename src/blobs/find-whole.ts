import { parseConfig, parseIndex, parseManifest } from '../oci/documents.js';
import type { Child, ImageIndex, Whole } from '../oci/image-index.js';
import { isConfig, isIndex, isManifest } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { fail } from '../values/error.js';
import { type DocumentReader, withBoundedReads } from './bounded-reads.js';
import { MAX_NESTING, nestedTooDeep, readImage } from './find-image.js';

/** So many things an index may name, with the indexes in it. */
const MOST_CHILDREN = 256;

/** Marks an entry as telling of another one, in the way of BuildKit. */
const REFERENCE_TYPE = 'vnd.docker.reference.type';

/**
 * Reads all that a descriptor means: an image, or an index with everything it names. Throws `IMAGE_INVALID`, also for an index
 * of other things than images, and for one of too many or too large ones, and what reading throws.
 */
export async function readWhole(descriptor: Descriptor, blobs: DocumentReader, place: string): Promise<Whole> {
  if (!isIndex(descriptor.mediaType)) return readImage(descriptor, blobs, place);
  const bounds = { place, depth: MAX_NESTING, left: { children: MOST_CHILDREN } };
  return withBoundedReads(blobs, place, (bounded) => readIndex(descriptor, bounded, bounds));
}

interface Bounds {
  readonly place: string;
  readonly depth: number;
  /** One count for all levels. */
  readonly left: { children: number };
}

async function readIndex(at: Descriptor, blobs: DocumentReader, { place, depth, left }: Bounds): Promise<ImageIndex> {
  if (depth === 0) throw nestedTooDeep(place);
  const index = parseIndex(await blobs.read(at), at.mediaType);
  const { manifests } = index.value;
  left.children -= manifests.length;
  if (left.children < 0) throw tooMany(place);
  const bounds = { place, depth: depth - 1, left };
  return { index, children: await Promise.all(manifests.map((child) => readChild(child, blobs, bounds))) };
}

async function readChild(descriptor: Descriptor, blobs: DocumentReader, bounds: Bounds): Promise<Child> {
  if (isIndex(descriptor.mediaType)) return readIndex(descriptor, blobs, bounds);
  if (isManifest(descriptor.mediaType)) return readManifest(descriptor, blobs);
  throw unknownChild(bounds.place, descriptor);
}

async function readManifest(descriptor: Descriptor, blobs: DocumentReader): Promise<Child> {
  const manifest = parseManifest(await blobs.read(descriptor), descriptor.mediaType);
  const { config } = manifest.value;
  if (!isImage(descriptor, config)) return { other: manifest };
  return { manifest, config: parseConfig(await blobs.read(config), config.mediaType) };
}

/** BuildKit's attestations have the config of an image, and no platform. */
function isImage({ platform, annotations }: Descriptor, config: Descriptor): boolean {
  return isConfig(config.mediaType) && platform?.os !== 'unknown' && annotations?.[REFERENCE_TYPE] === undefined;
}

function unknownChild(place: string, { mediaType, digest }: Descriptor) {
  return fail('IMAGE_INVALID', {
    what: `${place} names something that is neither an image nor an index`,
    why: `${digest} has the media type ${mediaType}`,
    fix: 'choose one of its images with --platform OS/ARCH',
  });
}

function tooMany(place: string) {
  return fail('IMAGE_INVALID', { what: `${place} names more than ${MOST_CHILDREN} things` });
}

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryStore } from '../blobs/directory-store.js';
import type { ImageSource } from '../blobs/images.js';
import type { BlobReader } from '../blobs/store.js';
import type { Index } from '../oci/documents.js';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, hexOf } from '../values/digest.js';
import { asString, member, optional, parseJson } from '../values/json.js';
import { formatPlace } from '../values/place.js';
import type { Platform } from '../values/platform.js';
import { chooseEntry } from './choose-entry.js';
import { entrySource } from './entry-source.js';
import { type LayoutPlace, readLayoutIndex } from './layout-index.js';

/** An OCI image layout as a source (image-spec, image-layout.md). Without tag and digest it must hold one image only. */
export function layoutSource(place: LayoutPlace): ImageSource {
  const blobs = directoryStore(join(place.path, 'blobs'));
  return entrySource(place, blobs, async (platform) => entryFor(await readLayoutIndex(place), place, platform, blobs));
}

/** The entries of a layout's index. Throws `IMAGE_NOT_FOUND` and `LAYOUT_INVALID`. */
export async function listLayout(path: string): Promise<readonly Descriptor[]> {
  return (await readLayoutIndex({ kind: 'oci', path })).manifests;
}

/** An image may be named by its digest also after its tag has moved to another. */
async function entryFor(
  index: Index,
  place: LayoutPlace,
  platform: Platform | undefined,
  blobs: BlobReader,
): Promise<Descriptor> {
  const listed = index.manifests.some((entry) => entry.digest === place.digest);
  const unlisted =
    place.digest === undefined || listed ? undefined : await describeBlob(place.path, place.digest, blobs);
  return unlisted ?? chooseEntry(index, place, platform, formatPlace(place));
}

/** A document that no index describes says itself what it is; OCI allows it to leave that out. */
async function describeBlob(path: string, digest: Digest, blobs: BlobReader): Promise<Descriptor | undefined> {
  if (!(await blobs.has(digest))) return undefined;
  const { size } = await lstat(join(path, 'blobs', 'sha256', hexOf(digest)));
  const root = parseJson(await blobs.read({ mediaType: OCI_MANIFEST, digest, size }), digest, 'IMAGE_INVALID');
  const stated = optional(member(root, 'mediaType'), asString);
  return { mediaType: stated ?? (member(root, 'manifests').value ? OCI_INDEX : OCI_MANIFEST), digest, size };
}

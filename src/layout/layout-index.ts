import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Replacing } from '../blobs/images.js';
import { type Index, MAX_DOCUMENT_BYTES, parseIndex } from '../oci/documents.js';
import { platformOf } from '../oci/image.js';
import { digestOfWhole, isImageIndex, rootOf, type Whole } from '../oci/image-index.js';
import { OCI_INDEX } from '../oci/media-types.js';
import { exists } from '../system/exists.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import { fail, isFailure, systemCode } from '../values/error.js';
import { asString, defined, member, parseJson } from '../values/json.js';
import { formatPlace, type Place } from '../values/place.js';
import { isPreviousTag, previousTag } from '../values/previous-tag.js';
import { refuseTagInPath } from './tag-in-path.js';

export type LayoutPlace = Extract<Place, { kind: 'oci' }>;

/** The annotation of an index entry that is its tag. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
export const LAYOUT_VERSION = '1.0.0';

/** The tag of an image that was given none: some tools open no image without one. */
export const DEFAULT_TAG = 'latest';

/** Reads a layout's `index.json` (image-spec, image-layout.md). Links are refused. Throws `IMAGE_NOT_FOUND`, `LAYOUT_INVALID`, `REFERENCE_INVALID`. */
export async function readLayoutIndex(place: LayoutPlace): Promise<Index> {
  const { path } = place;
  if (!(await exists(path))) {
    await refuseTagInPath(place);
    throw fail('IMAGE_NOT_FOUND', {
      what: `${formatPlace(place)} is not there`,
      why: `there is no directory ${path}`,
      fix: 'check the path',
      details: { path },
    });
  }
  const version = parseJson(await readMember(path, 'oci-layout'), `${path}/oci-layout`, 'LAYOUT_INVALID');
  if (asString(member(version, 'imageLayoutVersion')) !== LAYOUT_VERSION) {
    throw fail('LAYOUT_INVALID', {
      what: `${path} is an image layout of another version`,
      why: `expected ${LAYOUT_VERSION}, found ${JSON.stringify(member(version, 'imageLayoutVersion').value)}`,
    });
  }
  try {
    return parseIndex(await readMember(path, 'index.json'), OCI_INDEX).value;
  } catch (error) {
    if (!isFailure(error, 'IMAGE_INVALID')) throw error;
    throw fail('LAYOUT_INVALID', {
      what: `${path}/index.json cannot be read: ${error.message}`,
      why: error.why,
      cause: error,
    });
  }
}

/** The index of a layout that holds one image, or one index. */
export function indexOfOne(whole: Whole, tag: string = DEFAULT_TAG): Index {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entryOf(whole, tag)] };
}

/**
 * The index with the entry of what was written in place of the tag's old one; entries we know nothing of stay. With
 * `replacing`, the tag must stand for that still, or for what was written, and its entry is kept under another tag if it is
 * to be. An image that had no tag must be there still. Throws `LAYOUT_TAG_MOVED`.
 */
export function withEntry(index: Index, whole: Whole, tag: string = DEFAULT_TAG, replacing?: Replacing): Index {
  const old = index.manifests.find(isNamed(tag));
  const digest = digestOfWhole(whole);
  // What is there already leaves nothing to move, and nothing to keep: what was kept before it came stays.
  if (replacing !== undefined && old?.digest === digest) return index;
  const replaced = replacing && requireEntry(index, old, tag, replacing.expected);
  const kept = replacing?.kept && replaced ? [withTag(replaced, previousTag(tag, digest))] : [];
  const written = [...kept, entryOf(whole, tag)];
  const others = index.manifests.filter(
    (entry) => !written.some(({ annotations }) => isNamed(annotations?.[REF_NAME] ?? '')(entry)),
  );
  return { ...index, mediaType: OCI_INDEX, manifests: [...others, ...written] };
}

/** What an entry is called by people; a tag that only keeps something is no name. */
export function nameOf({ annotations }: Descriptor): string | undefined {
  const name = annotations?.[REF_NAME];
  return name === undefined || isPreviousTag(name) ? undefined : name;
}

function entryOf(whole: Whole, tag: string): Descriptor {
  const platform = isImageIndex(whole) ? undefined : platformOf(whole);
  return defined({ ...rootOf(whole).descriptor, platform, annotations: { [REF_NAME]: tag } });
}

function isNamed(tag: string): (entry: Descriptor) => boolean {
  return ({ annotations }) => annotations?.[REF_NAME] === tag;
}

function withTag(entry: Descriptor, tag: string): Descriptor {
  return { ...entry, annotations: { ...entry.annotations, [REF_NAME]: tag } };
}

/** The entry that is replaced: the tag's, or if there is no such tag, that of an image without one. */
function requireEntry(index: Index, old: Descriptor | undefined, tag: string, expected: Digest): Descriptor {
  const isUntagged = ({ digest, annotations }: Descriptor) =>
    digest === expected && annotations?.[REF_NAME] === undefined;
  const found = old ?? index.manifests.find(isUntagged);
  if (found?.digest === expected) return found;
  throw moved(tag, expected, found?.digest);
}

function moved(tag: string, expected: Digest, found: Digest | undefined) {
  return fail('LAYOUT_TAG_MOVED', {
    what: `somebody else moved the tag ${tag} of the layout at the same time`,
    why: `${expected} expected, ${found ?? 'nothing'} found`,
    fix: 'look at what it is now, and run the command again if you still want to',
    details: { expected, found: found ?? null },
  });
}

async function readMember(layout: string, name: string): Promise<Uint8Array> {
  const file = join(layout, name);
  const found = await lstat(file).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  });
  if (found?.isFile() && found.size <= MAX_DOCUMENT_BYTES) return readFile(file);
  throw fail('LAYOUT_INVALID', { what: `${layout} is not an OCI image layout`, why: `${file} ${troubleWith(found)}` });
}

function troubleWith(found: { isFile(): boolean; readonly size: number } | undefined): string {
  if (found === undefined) return 'is missing';
  return found.isFile() ? `has ${found.size} bytes; at most ${MAX_DOCUMENT_BYTES} are read` : 'is not a regular file';
}

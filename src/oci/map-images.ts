import type { Descriptor } from '../values/descriptor.js';
import { documentOf } from '../values/document.js';
import type { Index } from './documents.js';
import { type Base, digestOfImage, type Image } from './image.js';
import { type ImageIndex, imagesOf, isImageIndex, isOther, rootOf, type Whole } from './image-index.js';
import { BASE_DIGEST, BASE_NAME, baseAnnotations, familyOf, platformEntryOf } from './index-of.js';
import { DOCKER_LIST } from './media-types.js';

type Annotations = Readonly<Record<string, string>>;

/** What becomes of each image, and what all of them then stand on. */
export interface Move {
  readonly move: (image: Image) => Image;
  readonly base: Pick<Base, 'name' | 'index'>;
}

/**
 * The same with another image in the place of each. Pure. What an index and its descriptors say stays as far as it is true
 * still: digests, platforms and the base are told anew, members that we do not know stay. What is no image tells of images
 * that are no longer there (attestations), and is left out. Where no image changes, nothing does.
 */
export function mapImages(whole: Whole, { move, base }: Move): Whole {
  const isSame = imagesOf(whole).every((image) => digestOfImage(move(image)) === digestOfImage(image));
  if (isSame) return whole;
  return isImageIndex(whole) ? mapIndex(whole, { move, base }) : move(whole);
}

function mapIndex({ index, children }: ImageIndex, to: Move): ImageIndex {
  const { manifests, annotations, ...members } = index.value;
  const mapped = children.flatMap((child, at) => {
    const entry = manifests[at];
    if (entry === undefined || isOther(child)) return [];
    if (!isImageIndex(child)) return [imageIn(entry, child, to.move(child))];
    const moved = mapIndex(child, to);
    return [{ moved, entry: retold(entry, moved, baseAnnotations(to.base)) }];
  });
  const mediaType = familyOf(mapped.flatMap(({ moved }) => imagesOf(moved))) ?? index.descriptor.mediaType;
  const told = mediaType === DOCKER_LIST ? annotations : { ...withoutBase(annotations), ...baseAnnotations(to.base) };
  const value: Index = {
    ...members,
    ...(members.mediaType === undefined ? {} : { mediaType }),
    manifests: mapped.map(({ entry }) => entry),
    ...(told === undefined || Object.keys(told).length === 0 ? {} : { annotations: told }),
  };
  return { index: documentOf(value, mediaType), children: mapped.map(({ moved }) => moved) };
}

function imageIn(
  entry: Descriptor,
  before: Image,
  moved: Image,
): { readonly moved: Whole; readonly entry: Descriptor } {
  const { platform, ...told } = retold(entry, moved, moved.manifest.value.annotations ?? {});
  if (platform === undefined) return { moved, entry: told };
  return { moved, entry: { ...told, platform: platformFor(platform, before, moved) } };
}

/** The descriptor of what has moved. What it says of the base it says of the new one; the bytes it may hold are the old ones. */
function retold(entry: Descriptor, moved: Whole, base: Annotations): Descriptor {
  const { data: _data, urls: _urls, annotations, ...kept } = entry as Descriptor & { readonly data?: unknown };
  const { mediaType, digest, size } = rootOf(moved).descriptor;
  const renamed = { ...kept, mediaType, digest, size };
  if (annotations === undefined) return renamed;
  const told = Object.entries(base).filter(([name]) => isOfBase(name) && annotations[name] !== undefined);
  return { ...renamed, annotations: { ...withoutBase(annotations), ...Object.fromEntries(told) } };
}

/** What changes in the image changes in its entry; an entry may say more, or write it otherwise. */
function platformFor(said: NonNullable<Descriptor['platform']>, before: Image, moved: Image) {
  const was: Record<string, unknown> = { ...platformEntryOf(before) };
  const is: Record<string, unknown> = { ...platformEntryOf(moved) };
  const stays = (name: string) => JSON.stringify(was[name]) === JSON.stringify(is[name]);
  const kept = Object.entries(said).filter(([name]) => stays(name));
  const changed = Object.entries(is).filter(([name]) => !stays(name));
  return Object.fromEntries([...kept, ...changed]) as unknown as typeof said;
}

function withoutBase(annotations: Annotations = {}): Annotations {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !isOfBase(name)));
}

function isOfBase(name: string): boolean {
  return name === BASE_NAME || name === BASE_DIGEST;
}

import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import type { Document } from '../values/document.js';
import type { Index, Manifest } from './documents.js';
import type { Image } from './image.js';

/** An image for several platforms: an index, and what each of its descriptors means, in the same order. */
export interface ImageIndex {
  readonly index: Document<Index>;
  readonly children: readonly Child[];
}

/** What an index names beside images: an attestation, or another artifact. */
export interface Other {
  readonly other: Document<Manifest>;
}

export type Child = Image | ImageIndex | Other;

/** What one name stands for: an image, or an index of images. */
export type Whole = Image | ImageIndex;

export function isImageIndex(child: Child): child is ImageIndex {
  return 'index' in child;
}

export function isOther(child: Child): child is Other {
  return 'other' in child;
}

/** The document that names all the others. */
export function rootOf(child: Child): Document<Index | Manifest> {
  if (isImageIndex(child)) return child.index;
  return isOther(child) ? child.other : child.manifest;
}

export function digestOfWhole(whole: Whole): Digest {
  return rootOf(whole).descriptor.digest;
}

/** The images, in the order in which they are named; of an index within an index, too. */
export function imagesOf(child: Child): readonly Image[] {
  if (isImageIndex(child)) return child.children.flatMap(imagesOf);
  return isOther(child) ? [] : [child];
}

/** What an index names beside images, at any depth. */
export function othersOf(child: Child): readonly Other[] {
  if (isImageIndex(child)) return child.children.flatMap(othersOf);
  return isOther(child) ? [child] : [];
}

/** What a place must have to have the whole, each thing once. */
export interface Pieces {
  /** Bytes that are read from where the whole was. Foreign layers (`urls`) are nobody's to copy. */
  readonly blobs: readonly Descriptor[];
  readonly configs: readonly Document<unknown>[];
  /** Manifests and indexes, what is named before what names it: the root is the last. */
  readonly manifests: readonly Document<unknown>[];
}

export function piecesOf(whole: Whole): Pieces {
  const images = imagesOf(whole);
  const configs = images.map(({ config }) => config);
  const own = new Set(configs.map(({ descriptor }) => descriptor.digest));
  const blobs = [
    ...images.flatMap(({ manifest }) => manifest.value.layers),
    ...othersOf(whole).flatMap(({ other }) => [other.value.config, ...other.value.layers]),
  ];
  return {
    blobs: once(
      blobs.filter(({ urls, digest }) => urls === undefined && !own.has(digest)),
      (blob) => blob.digest,
    ),
    configs: once(configs, ({ descriptor }) => descriptor.digest),
    manifests: once(manifestsOf(whole), ({ descriptor }) => descriptor.digest),
  };
}

function manifestsOf(child: Child): readonly Document<unknown>[] {
  return [...(isImageIndex(child) ? child.children.flatMap(manifestsOf) : []), rootOf(child)];
}

function once<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

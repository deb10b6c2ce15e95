import { dirname, resolve } from 'node:path';
import { decompress } from '../archive/decompress.js';
import type { Content, TarEntry } from '../archive/tar-entry.js';
import { writeTar } from '../archive/tar-write.js';
import type { ImageTarget, Lack } from '../blobs/images.js';
import type { BlobReader } from '../blobs/store.js';
import { type Image, type Layer, layersOf } from '../oci/image.js';
import { digestOfWhole, isImageIndex, piecesOf, type Whole } from '../oci/image-index.js';
import { compressionOf } from '../oci/media-types.js';
import { withParents } from '../system/parents.js';
import { writeStaged } from '../system/staged.js';
import { sweepStale } from '../system/tempdir.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, hexOf } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import { fail, type Json } from '../values/error.js';
import { formatPlace, type Place } from '../values/place.js';
import { checkArchiveTarget } from './check-target.js';
import { withTag } from './docker-archive.js';
import { orFull } from './full-target.js';
import { indexOfOne, LAYOUT_VERSION } from './layout-index.js';
import { refuseTagInPath } from './tag-in-path.js';

type Part = readonly [TarEntry, Content?];

/** An OCI layout in a tar as a target: the file appears whole or not at all. */
export function ociArchiveTarget(place: Extract<Place, { kind: 'oci-archive' }>): ImageTarget {
  return {
    check: async () => {
      await refuseTagInPath(place);
      await checkArchiveTarget(place.path);
    },
    put: (whole, blobs, signal) => writeArchive(place, digestOfWhole(whole), ociParts(whole, blobs, place.tag), signal),
    lacks: allOf,
  };
}

/**
 * A `docker load` archive as a target: the image's own config, so that the image ID is the config's digest, and its layers
 * uncompressed. Manifest and annotations have no place in this form.
 */
export function dockerArchiveTarget(place: Extract<Place, { kind: 'docker-archive' }>): ImageTarget {
  return {
    check: () => checkArchiveTarget(place.path),
    put: async (whole, blobs, signal) => {
      if (isImageIndex(whole)) throw indexIn(place);
      return writeArchive(place, whole.config.descriptor.digest, dockerParts(whole, blobs, place.reference), signal);
    },
    lacks: allOf,
  };
}

async function allOf(blobs: readonly Descriptor[]): Promise<readonly Lack[]> {
  return blobs.map((descriptor) => ({ descriptor, way: 'sent' }));
}

/** The error for an index that is to go where only one image can be. */
export function indexIn(place: Extract<Place, { kind: 'docker-archive' }>) {
  return fail('PLACE_UNSUPPORTED', {
    what: `an index of images cannot be written to ${formatPlace(place)}`,
    why: 'a Docker archive holds images of one platform',
    fix: 'write it to oci:DIR, oci-archive:FILE or docker://REF',
  });
}

async function writeArchive(
  place: Extract<Place, { kind: 'oci-archive' | 'docker-archive' }>,
  digest: Digest,
  parts: AsyncIterable<Part>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const path = resolve(place.path);
  await sweepStale(dirname(path));
  await orFull(place, path, () => withParents(path, () => writeStaged(path, untilAborted(writeTar(parts), signal))));
  return `${formatPlace({ kind: place.kind, path: place.path } as Place)}@${digest}`;
}

async function* ociParts(whole: Whole, blobs: BlobReader, tag: string | undefined): AsyncGenerator<Part> {
  const { blobs: streamed, configs, manifests } = piecesOf(whole);
  const documents = [...configs, ...manifests].map(({ descriptor, bytes }) => ({ ...descriptor, content: bytes }));
  const all = [...streamed.map((blob) => ({ ...blob, content: blobs.stream(blob) })), ...documents];
  yield [directory('blobs')];
  yield [directory('blobs/sha256')];
  for (const { digest, size, content } of all.sort((a, b) => (a.digest < b.digest ? -1 : 1)))
    yield [file(`blobs/sha256/${hexOf(digest)}`, size), content];
  yield json('index.json', indexOfOne(whole, tag) as unknown as Json);
  yield json('oci-layout', { imageLayoutVersion: LAYOUT_VERSION });
}

async function* dockerParts(image: Image, blobs: BlobReader, reference: string | undefined): AsyncGenerator<Part> {
  const { config } = image;
  const configName = `${hexOf(config.descriptor.digest)}.json`;
  const layers = layersOf(image);
  yield [file(configName, config.bytes.byteLength), config.bytes];
  for (const [name, layer] of new Map(layers.map((item) => [layerName(item), item]))) {
    if (layer.descriptor.urls !== undefined) throw foreign(layer);
    yield [file(name, await sizeOf(tarOf(layer, blobs))), tarOf(layer, blobs)];
  }
  yield json('manifest.json', [
    {
      Config: configName,
      RepoTags: reference === undefined ? null : [withTag(reference)],
      Layers: layers.map(layerName),
    },
  ]);
}

function layerName({ diffId }: Layer): string {
  return `${hexOf(diffId)}.tar`;
}

function tarOf({ descriptor }: Layer, blobs: BlobReader): AsyncIterable<Uint8Array> {
  return decompress(blobs.stream(descriptor), { expected: compressionOf(descriptor.mediaType) });
}

async function sizeOf(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) size += chunk.byteLength;
  return size;
}

async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

function directory(path: string): TarEntry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0 };
}

function file(path: string, size: number): TarEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size };
}

function json(path: string, value: Json): Part {
  const bytes = Buffer.from(canonicalJson(value));
  return [file(path, bytes.byteLength), bytes];
}

function foreign({ descriptor }: Layer) {
  return fail('LAYOUT_INVALID', {
    what: 'the image has a layer that is kept elsewhere, and a Docker archive needs its bytes',
    why: `layer ${descriptor.digest} is to be fetched from ${descriptor.urls?.[0]}`,
    fix: 'write the image to oci:DIR or oci-archive:FILE',
  });
}

import { gzipSync } from 'node:zlib';
import { writeTar } from '../../src/archive/tar-write.js';
import type { BlobStore } from '../../src/blobs/store.js';
import { assemble } from '../../src/oci/assemble.js';
import type { Base, Image, Layer } from '../../src/oci/image.js';
import { digestOfWhole, type ImageIndex } from '../../src/oci/image-index.js';
import { indexOf } from '../../src/oci/index-of.js';
import { OCI_LAYER_GZIP } from '../../src/oci/media-types.js';
import { digestOf, parseDiffId } from '../../src/values/digest.js';
import { defined } from '../../src/values/json.js';
import { appOf, baseOf } from './image.js';
import { directory, file, type Part } from './layer-tar.js';
import { bytesOf } from './tar.js';

/** A release of a base: an image for each architecture, under one index. */
export interface Release {
  readonly index: ImageIndex;
  readonly bases: ReadonlyMap<string, Base>;
}

/** A layer with these entries, in a store. */
export async function storedLayer(store: BlobStore, ...parts: readonly Part[]): Promise<Layer> {
  const tar = await bytesOf(writeTar(parts));
  const blob = gzipSync(tar);
  const descriptor = { mediaType: OCI_LAYER_GZIP, digest: digestOf(blob), size: blob.byteLength };
  await store.write(descriptor, [blob]);
  return { descriptor, diffId: parseDiffId(digestOf(tar)) };
}

/** A base of bash (an empty one) and a file that tells the version, for each of these architectures. */
export async function storedRelease(
  store: BlobStore,
  version: string,
  architectures: readonly string[] = ['amd64', 'arm64'],
  name?: string,
): Promise<Release> {
  const images: [string, Image][] = [];
  for (const architecture of architectures) {
    const layers = [
      await storedLayer(store, directory('bin'), file('bin/bash', architecture, 0o755), directory('tmp', 0o1777)),
      await storedLayer(store, directory('etc'), file('etc/version', `${version} ${architecture}`)),
    ];
    images.push([architecture, baseOf({ layers, config: { architecture } }).image]);
  }
  const index = indexOf(images.map(([, image]) => image));
  const bases = images.map(
    ([architecture, image]) => [architecture, defined({ image, name, index: digestOfWhole(index) })] as const,
  );
  return { index, bases: new Map(bases) };
}

/** One app on the bases of a release: an image for each architecture, under one index. */
export async function storedShop(store: BlobStore, { bases }: Release): Promise<ImageIndex> {
  const images: Image[] = [];
  for (const [architecture, base] of bases) {
    const layer = await storedLayer(store, directory('app'), file('app/shop', `shop for ${architecture}`));
    const app = appOf({ platform: { os: 'linux', architecture }, layers: [{ ...layer, name: 'source' }] });
    images.push(assemble(base, app).image);
  }
  return indexOf(images);
}

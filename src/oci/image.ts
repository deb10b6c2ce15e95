import type { Descriptor } from '../values/descriptor.js';
import type { DiffId, Digest } from '../values/digest.js';
import type { Document } from '../values/document.js';
import { fail } from '../values/error.js';
import { defined } from '../values/json.js';
import type { Platform } from '../values/platform.js';
import type { ImageConfig, Manifest } from './documents.js';

/** One layer: the bytes that are stored, and the digest of the tar within. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
}

/** An image of one platform: two documents. The layers' bytes live in a store. */
export interface Image {
  readonly manifest: Document<Manifest>;
  readonly config: Document<ImageConfig>;
}

/** An image in the part of a base. */
export interface Base {
  readonly image: Image;
  /** A registry reference or a layout's ref name, never a local path. Absent when it has none. */
  readonly name?: string;
  /** The digest of the index it was chosen from, if it was. */
  readonly index?: Digest;
}

/** The layers, lowest first. Throws `IMAGE_INVALID` when manifest and config disagree about their number. */
export function layersOf({ manifest, config }: Image): readonly Layer[] {
  const descriptors = manifest.value.layers;
  const diffIds = config.value.rootfs.diff_ids;
  if (descriptors.length !== diffIds.length) {
    throw fail('IMAGE_INVALID', {
      what: 'the manifest and the config of the image disagree about its layers',
      why: `${descriptors.length} layers, ${diffIds.length} diff ids`,
    });
  }
  return descriptors.map((descriptor, at) => ({ descriptor, diffId: diffIds[at] as DiffId }));
}

export function platformOf({ config }: Image): Platform {
  const { os, architecture, variant } = config.value;
  return defined({ os, architecture, variant });
}

export function labelsOf({ config }: Image): Readonly<Record<string, string>> {
  return config.value.config?.Labels ?? {};
}

export function digestOfImage({ manifest }: Image): Digest {
  return manifest.descriptor.digest;
}

import { gunzipSync, gzipSync } from 'node:zlib';
import { formatInventory, INVENTORY_FORMAT, parseInventory } from '../layers/inventory-text.js';
import type { Inventory } from '../layers/merge.js';
import { digestOfImage, type Image, layersOf } from '../oci/image.js';
import type { Descriptor } from '../values/descriptor.js';
import { isFailure } from '../values/error.js';
import type { Tools } from './tools.js';

const TYPE = 'application/vnd.dev.pack-build.files.v1';
const BLOB_TYPE = `${TYPE}+json+gzip`;

/** A list of a large base has some 5 MiB, and a tenth of that compressed. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_TEXT = 256 * 1024 * 1024;

/** Attaches the list of a base's files to it, in its registry. Gives the artifact's descriptor. Throws what the registry throws. */
export async function attachFiles(
  reference: string,
  image: Image,
  inventory: Inventory,
  registries: Exclude<Tools['registries'], undefined>,
): Promise<Descriptor> {
  const layers = layersOf(image).map(({ diffId }) => diffId);
  const text = JSON.stringify({ format: INVENTORY_FORMAT, layers, files: formatInventory(inventory) });
  const blobs = [{ mediaType: BLOB_TYPE, bytes: gzipSync(text) }];
  return registries.attach(reference, image.manifest.descriptor, { artifactType: TYPE, blobs });
}

/** The place of a base in a registry whose attached list is believed. */
export interface TrustedPlace {
  readonly reference: string;
  /** An image names it, and not the user: its registry must be on the Internet. */
  readonly isHint?: boolean | undefined;
}

/**
 * The list of its files that is attached to a base. It is for these layers and in a form that we know, but only as true as
 * who may write to the base's repository: whoever asks for it trusts them. Undefined where there is none that can be used.
 */
export async function attachedFiles(
  { reference, isHint }: TrustedPlace,
  image: Image,
  { registries }: Pick<Tools, 'registries'>,
): Promise<Inventory | undefined> {
  const request = { subject: digestOfImage(image), artifactType: TYPE, most: MOST_BYTES };
  const bytes = await registries?.attached(reference, request, { isHint }).catch((error: unknown) => {
    if (isFailure(error, 'INTERRUPTED') || !isFailure(error)) throw error;
    return undefined;
  });
  return bytes === undefined ? undefined : parse(bytes, image);
}

function parse(bytes: Uint8Array, image: Image): Inventory | undefined {
  try {
    const { format, layers, files } = JSON.parse(gunzipSync(bytes, { maxOutputLength: MOST_TEXT }).toString());
    const isForThese = JSON.stringify(layers) === JSON.stringify(layersOf(image).map(({ diffId }) => diffId));
    const isKnown = format === INVENTORY_FORMAT && typeof files === 'string';
    return isForThese && isKnown ? parseInventory(files) : undefined;
  } catch {
    return undefined;
  }
}

import type { Lack } from '../blobs/images.js';
import { piecesOf, type Whole } from '../oci/image-index.js';
import { formatPlace, type Place } from '../values/place.js';
import { openTarget } from './open-place.js';
import type { Tools } from './tools.js';

/** What writing an image to a place would move there. */
export interface Transfer {
  readonly place: string;
  /** Layers that the place has already. */
  readonly there: number;
  /** Those that it lacks; layers that are kept elsewhere (`urls`) move nowhere. */
  readonly lacks: readonly Lack[];
  /** Bytes of layers and documents that are sent. An archive is written whole. */
  readonly bytes: number;
}

/** Looks at places, and tells what writing this image or index there would move. Writes nothing. Throws what the places throw. */
export async function transfersTo(
  whole: Whole,
  places: readonly Place[],
  tools: Pick<Tools, 'registries'>,
): Promise<readonly Transfer[]> {
  const { blobs: layers, configs, manifests } = piecesOf(whole);
  const documents = [...configs, ...manifests].reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  const transfers: Transfer[] = [];
  for (const place of places) {
    const lacks = await openTarget(place, tools).lacks(layers);
    const sent = lacks.filter(({ way }) => way === 'sent').map(({ descriptor }) => descriptor.size);
    const bytes = sent.reduce((sum, size) => sum + size, documents);
    transfers.push({ place: formatPlace(place), there: layers.length - lacks.length, lacks, bytes });
  }
  return transfers;
}

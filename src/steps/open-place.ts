import type { ImageSource, ImageTarget, PutOptions } from '../blobs/images.js';
import type { BlobStore } from '../blobs/store.js';
import { openSource as openLocalSource, openTarget as openLocalTarget } from '../layout/places.js';
import type { ReadOptions } from '../registry/access.js';
import type { Place } from '../values/place.js';
import type { Tools } from './tools.js';

type Ways = Pick<Tools, 'registries'>;

/**
 * The source that reads a place, wherever it is. `store` keeps what is read from archives and registries. `how` is for
 * registries. Throws `PLACE_UNSUPPORTED`.
 */
export function openSource(place: Place, store: BlobStore, { registries }: Ways, how?: ReadOptions): ImageSource {
  if (place.kind !== 'registry' || registries === undefined) return openLocalSource(place, store);
  return registries.source(place.reference, store, how);
}

/** The target that writes a place, wherever it is. Throws `PLACE_UNSUPPORTED`. */
export function openTarget(place: Place, { registries }: Ways, how?: PutOptions): ImageTarget {
  if (place.kind !== 'registry' || registries === undefined) return openLocalTarget(place, how?.replacing);
  return registries.target(place.reference, how);
}

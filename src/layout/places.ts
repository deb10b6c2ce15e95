import type { ImageSource, ImageTarget, Replacing } from '../blobs/images.js';
import type { BlobStore } from '../blobs/store.js';
import { type Place, unsupportedRegistry } from '../values/place.js';
import { archiveSource } from './archive-source.js';
import { dockerArchiveTarget, ociArchiveTarget } from './archive-target.js';
import { layoutSource } from './layout-source.js';
import { layoutTarget } from './layout-target.js';

/** The source that reads a place. `store` keeps what an archive holds. Throws `PLACE_UNSUPPORTED`. */
export function openSource(place: Place, store: BlobStore): ImageSource {
  switch (place.kind) {
    case 'oci':
      return layoutSource(place);
    case 'oci-archive':
    case 'docker-archive':
      return archiveSource(place, store);
    case 'registry':
      throw unsupportedRegistry(place.reference);
  }
}

/** The target that writes a place. An archive is replaced whole, whatever it was. Throws `PLACE_UNSUPPORTED`. */
export function openTarget(place: Place, replacing?: Replacing): ImageTarget {
  switch (place.kind) {
    case 'oci':
      return layoutTarget(place, replacing);
    case 'oci-archive':
      return ociArchiveTarget(place);
    case 'docker-archive':
      return dockerArchiveTarget(place);
    case 'registry':
      throw unsupportedRegistry(place.reference);
  }
}

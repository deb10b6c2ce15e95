import { findImage } from '../blobs/find-image.js';
import { readWhole } from '../blobs/find-whole.js';
import type { ImageSource } from '../blobs/images.js';
import type { BlobReader } from '../blobs/store.js';
import type { Descriptor } from '../values/descriptor.js';
import { defined } from '../values/json.js';
import { formatPlace, type Place } from '../values/place.js';
import type { Platform } from '../values/platform.js';
import { nameOf } from './layout-index.js';

/** A source that finds an entry of a layout's index first, wherever the layout is: in a directory or in an archive. */
export function entrySource(
  place: Extract<Place, { kind: 'oci' | 'oci-archive' }>,
  blobs: BlobReader,
  entryOf: (platform?: Platform) => Promise<Descriptor>,
): ImageSource {
  // An image may have several names: with a digest too, it is the one that was asked for that counts.
  const tagOf = (entry: Descriptor) => place.tag ?? nameOf(entry);
  return {
    root: async () => {
      const entry = await entryOf();
      return defined({ digest: entry.digest, tag: tagOf(entry) });
    },
    find: async (platform) => {
      const entry = await entryOf(platform);
      return defined({
        ...(await findImage(entry, platform, blobs, formatPlace(place))),
        name: tagOf(entry),
        blobs,
      });
    },
    findWhole: async () => {
      const entry = await entryOf();
      return defined({ whole: await readWhole(entry, blobs, formatPlace(place)), name: tagOf(entry), blobs });
    },
  };
}

import type { ImageSource } from '../blobs/images.js';
import type { BlobStore } from '../blobs/store.js';
import { parseIndex } from '../oci/documents.js';
import { digestOfImage } from '../oci/image.js';
import { OCI_INDEX } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { formatPlace } from '../values/place.js';
import type { Platform } from '../values/platform.js';
import { type ArchivePlace, type Members, notAnImage } from './archive-members.js';
import { membersOnce } from './archive-notes.js';
import { chooseEntry } from './choose-entry.js';
import { findInDocker } from './docker-archive.js';
import { entrySource } from './entry-source.js';

type OciArchivePlace = Extract<ArchivePlace, { kind: 'oci-archive' }>;

/** An archive as a source. Its blobs go into `store` on the way, verified; it is read once, and again only when it has changed. */
export function archiveSource(place: ArchivePlace, store: BlobStore): ImageSource {
  const read = () => membersOnce(place, store);
  if (place.kind === 'docker-archive') {
    const find = async () => findInDocker(place, await read(), store);
    return {
      root: async () => ({ digest: digestOfImage((await find()).image) }),
      find,
      findWhole: async () => {
        const { image, ...found } = await find();
        return { ...found, whole: image };
      },
    };
  }
  return entrySource(place, store, async (platform) => entryIn(place, await read(), platform));
}

function entryIn(place: OciArchivePlace, { documents }: Members, platform: Platform | undefined): Descriptor {
  const bytes = documents.get('index.json');
  if (bytes === undefined) throw notAnImage(place, 'it has no index.json');
  return chooseEntry(parseIndex(bytes, OCI_INDEX).value, place, platform, formatPlace(place));
}

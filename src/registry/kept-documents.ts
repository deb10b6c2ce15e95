import type { BlobStore } from '../blobs/store.js';
import { isIndex, isManifest } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, digestOf, hexOf } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import { isFailure } from '../values/error.js';
import { asSize, asString, member, parseJson } from '../values/json.js';
import type { ImageName } from './name.js';

/** A repository's manifests and configs in the store that has the layers: what a digest names need not be asked for twice. */
export interface KeptDocuments {
  /** How a manifest or an index is to be read; undefined for one that was never kept. */
  readonly descriptorOf: (digest: Digest) => Promise<Descriptor | undefined>;
  /** The bytes; undefined when they are not there, or are damaged. */
  readonly read: (descriptor: Descriptor) => Promise<Uint8Array | undefined>;
  readonly keep: (descriptor: Descriptor, bytes: Uint8Array) => Promise<void>;
}

export function keptDocuments(store: BlobStore, from: Pick<ImageName, 'host' | 'repository'>): KeptDocuments {
  const noteOf = (digest: Digest) =>
    hexOf(digestOf(Buffer.from(`document ${FORMAT} ${from.host}/${from.repository}@${digest}`)));
  return {
    descriptorOf: async (digest) => {
      const text = await store.notes?.read(noteOf(digest));
      return text === undefined ? undefined : parseNote(text, digest);
    },
    read: async (descriptor) => {
      try {
        return await store.read(descriptor);
      } catch (error) {
        if (isFailure(error, 'BLOB_NOT_FOUND', 'DIGEST_MISMATCH', 'STORE_FAILED', 'IMAGE_INVALID')) return undefined;
        throw error;
      }
    },
    keep: async (descriptor, bytes) => {
      const { mediaType, digest, size } = descriptor;
      // Unlike `write`, this replaces what is damaged.
      await store.ingest(inOne(bytes));
      if (isIndex(mediaType) || isManifest(mediaType))
        await store.notes?.write(noteOf(digest), canonicalJson({ mediaType, size }));
    },
  };
}

/** To be raised when notes say something else. */
const FORMAT = 1;

/** A note is a hint: whatever it says, bytes are read only if they have the digest. */
function parseNote(text: string, digest: Digest): Descriptor | undefined {
  try {
    const note = parseJson(Buffer.from(text), 'a note', 'STORE_FAILED');
    const mediaType = asString(member(note, 'mediaType'));
    if (!isIndex(mediaType) && !isManifest(mediaType)) return undefined;
    return { mediaType, digest, size: asSize(member(note, 'size')) };
  } catch (error) {
    if (isFailure(error, 'STORE_FAILED')) return undefined;
    throw error;
  }
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

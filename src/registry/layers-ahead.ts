import { isWhole } from '../blobs/is-whole.js';
import type { BlobReader, BlobStore } from '../blobs/store.js';
import { inParallel } from '../system/limiter.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import type { Listener } from '../values/events.js';

export interface AheadOptions {
  /** Keeps the layers. */
  readonly store: BlobStore;
  readonly remote: BlobReader;
  /** How many come at once. */
  readonly most: number;
  readonly on: Listener;
}

/**
 * Reads an image's layers by way of a store: whoever asks for one layer will want those above it too, so they come several at
 * once. Each comes once, however many ask for it; nothing is under way any more when a stream has failed. What the store has
 * already is read through before anything is made of it: a damaged layer comes anew, with the notice `CACHE_DAMAGED`.
 */
export function layersAhead(
  layers: readonly Descriptor[],
  { store, remote, most, on }: AheadOptions,
): Required<Pick<BlobReader, 'stream' | 'fileOf'>> {
  const sound = new Set<Digest>();
  const underWay = new Map<Digest, Promise<void>>();
  const fetchOne = async (descriptor: Descriptor) => {
    const { digest } = descriptor;
    if (sound.has(digest)) return;
    if (!(await store.has(digest))) await store.write(descriptor, remote.stream(descriptor));
    else if (!(await isWhole(descriptor, store))) {
      on({
        type: 'notice',
        code: 'CACHE_DAMAGED',
        message: `the layer ${digest} in the cache is damaged: it is fetched again`,
      });
      // Unlike `write`, this replaces what is there.
      await store.ingest(remote.stream(descriptor));
    }
    sound.add(digest);
  };
  const keep = (descriptor: Descriptor) => {
    const { digest } = descriptor;
    const fetching = underWay.get(digest) ?? fetchOne(descriptor).finally(() => underWay.delete(digest));
    underWay.set(digest, fetching);
    return fetching;
  };
  const isOurs = (digest: Digest) => layers.some((layer) => layer.digest === digest);
  return {
    async *stream(descriptor) {
      const at = layers.findIndex(({ digest }) => digest === descriptor.digest);
      const above = layers.slice(at).filter(({ urls }) => urls === undefined);
      if (at !== -1) await inParallel(above, most, keep);
      else if (!(await store.has(descriptor.digest))) await keep(descriptor);
      yield* store.stream(descriptor);
    },
    fileOf: async (descriptor) => {
      if (isOurs(descriptor.digest)) await keep(descriptor);
      return store.fileOf?.(descriptor);
    },
  };
}

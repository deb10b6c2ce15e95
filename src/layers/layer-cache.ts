import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stateOfBlob } from '../blobs/is-whole.js';
import type { BlobStore } from '../blobs/store.js';
import { readSmall } from '../system/read-small.js';
import { makeWay } from '../system/remove.js';
import { writeStaged } from '../system/staged.js';
import type { Descriptor } from '../values/descriptor.js';
import { type DiffId, type Digest, digestOf, hexOf } from '../values/digest.js';

/** A tar: its digest, and something that equal tars have in common and that is cheaper to know. */
export interface TarKey {
  readonly diffId: DiffId;
  readonly bulk: string;
}

/** A layer whose blob is in the store. */
export interface PackedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
}

/** Remembers the blob that a tar became. Forgetting is always allowed; nothing here is trusted unseen. */
export interface LayerCache {
  /** Whether it knows any tar of this bulk: if not, it is a waste to hash one in order to ask for it. */
  mayHave(compressor: string, bulk: string): Promise<boolean>;
  /** The blob of this tar, if it is known and whole in the store. */
  get(compressor: string, tar: TarKey, store: BlobStore): Promise<Descriptor | undefined>;
  put(compressor: string, layer: TarKey & { readonly descriptor: Descriptor }): Promise<void>;
  /** The layer that entries of this `contentKey` became, if it is known and its blob whole in the store. */
  recall(compressor: string, content: string, store: BlobStore): Promise<PackedLayer | undefined>;
  remember(compressor: string, content: string, layer: PackedLayer): Promise<void>;
}

/**
 * Remembers in files `DIRECTORY/COMPRESSOR/BULK-HEX.json` and `content-HEX.json`. A file that is not as it was written is as
 * good as none. `onDamaged` is told of a blob that is there and has other bytes, once.
 */
export function layerCache(directory: string, onDamaged: (digest: Digest) => void = () => undefined): LayerCache {
  const told = new Set<Digest>();
  const whole = async (descriptor: Descriptor, store: BlobStore): Promise<boolean> => {
    const state = await stateOfBlob(descriptor, store);
    if (state === 'damaged' && !told.has(descriptor.digest)) onDamaged(descriptor.digest);
    if (state === 'damaged') told.add(descriptor.digest);
    return state === 'whole';
  };
  const directoryOf = (compressor: string) => join(directory, compressor.replaceAll('/', '-'));
  const fileOf = (compressor: string, { diffId, bulk }: TarKey) =>
    join(directoryOf(compressor), `${bulk}-${hexOf(diffId)}.json`);
  const contentFile = (compressor: string, content: string) => join(directoryOf(compressor), `content-${content}.json`);
  return {
    async mayHave(compressor, bulk) {
      const names = await readdir(directoryOf(compressor)).catch(() => []);
      return names.some((name) => name.startsWith(`${bulk}-`));
    },
    async get(compressor, tar, store) {
      const layer = unsealed(await readSmall(fileOf(compressor, tar)), tar.diffId);
      return layer !== undefined && (await whole(layer.descriptor, store)) ? layer.descriptor : undefined;
    },
    async put(compressor, { descriptor, ...tar }) {
      await keep(fileOf(compressor, tar), sealed({ descriptor, diffId: tar.diffId }, tar.diffId));
    },
    async recall(compressor, content, store) {
      const layer = unsealed(await readSmall(contentFile(compressor, content)), content);
      if (layer?.size === undefined || !(await whole(layer.descriptor, store))) return undefined;
      return { ...layer, size: layer.size };
    },
    async remember(compressor, content, layer) {
      await keep(contentFile(compressor, content), sealed(layer, content));
    },
  };
}

async function keep(file: string, note: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await makeWay(file);
  await writeStaged(file, note);
}

/** What a note tells. The size of a tar is not known by those who ask for it by its digest. */
type Told = Omit<PackedLayer, 'size'> & { readonly size?: number | undefined };

/** Nothing but a note says what blob a tar or a content became: it is believed only as it was written, and under its own name. */
function sealed({ descriptor: { mediaType, digest, size: stored }, diffId, size }: Told, of: string): string {
  const note = JSON.stringify({ of, diffId, size, mediaType, digest, stored });
  return `${digestOf(Buffer.from(note))} ${note}`;
}

function unsealed(text: string | undefined, of: string): Told | undefined {
  if (text === undefined) return undefined;
  try {
    const { mediaType, digest, stored, diffId, size, ...note } = JSON.parse(text.slice(text.indexOf(' ')));
    const layer: Told = { descriptor: { mediaType, digest, size: stored }, diffId, size };
    return note.of === of && sealed(layer, of) === text ? layer : undefined;
  } catch {
    return undefined;
  }
}

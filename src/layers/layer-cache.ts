import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isWhole } from '../blobs/is-whole.js';
import type { BlobStore } from '../blobs/store.js';
import { writeStaged } from '../system/staged.js';
import type { Descriptor } from '../values/descriptor.js';
import { type DiffId, digestOf, hexOf, isDigest } from '../values/digest.js';

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
 * Remembers in files `DIRECTORY/COMPRESSOR/BULK-HEX.json` and `content-HEX.json`. A file that cannot be read is as good as
 * none.
 */
export function layerCache(directory: string): LayerCache {
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
      const descriptor = parse(await readFile(fileOf(compressor, tar), 'utf8').catch(() => ''), tar.diffId);
      return descriptor !== undefined && (await isWhole(descriptor, store)) ? descriptor : undefined;
    },
    async put(compressor, { descriptor, ...tar }) {
      const file = fileOf(compressor, tar);
      const { mediaType, digest, size } = descriptor;
      await mkdir(dirname(file), { recursive: true });
      await writeStaged(file, JSON.stringify({ diffId: tar.diffId, mediaType, digest, size }));
    },
    async recall(compressor, content, store) {
      const layer = unsealed(await readFile(contentFile(compressor, content), 'utf8').catch(() => ''), content);
      return layer !== undefined && (await isWhole(layer.descriptor, store)) ? layer : undefined;
    },
    async remember(compressor, content, layer) {
      const file = contentFile(compressor, content);
      await mkdir(dirname(file), { recursive: true });
      await writeStaged(file, sealed(layer, content));
    },
  };
}

/** Nothing but this note says what diffID a content has: it is believed only as it was written, and under its own name. */
function sealed(
  { descriptor: { mediaType, digest, size: stored }, diffId, size }: PackedLayer,
  content: string,
): string {
  const note = JSON.stringify({ content, diffId, size, mediaType, digest, stored });
  return `${digestOf(Buffer.from(note))} ${note}`;
}

function unsealed(text: string, content: string): PackedLayer | undefined {
  try {
    const { mediaType, digest, stored, diffId, size, ...note } = JSON.parse(text.slice(text.indexOf(' ')));
    const layer: PackedLayer = { descriptor: { mediaType, digest, size: stored }, diffId, size };
    return note.content === content && sealed(layer, content) === text ? layer : undefined;
  } catch {
    return undefined;
  }
}

/** A note says whose blob it names: one that lies under another's name is none. */
function parse(text: string, wanted: DiffId): Descriptor | undefined {
  try {
    const { diffId, mediaType, digest, size } = JSON.parse(text) as Record<string, unknown>;
    if (diffId !== wanted || typeof mediaType !== 'string' || !isDigest(digest) || !Number.isSafeInteger(size))
      return undefined;
    return { mediaType, digest, size: size as number };
  } catch {
    return undefined;
  }
}

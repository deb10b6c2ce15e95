import { type Compressor, compressorOf } from '../archive/compressor.js';
import { measuring } from '../archive/measure.js';
import { compareNames } from '../archive/tar-write.js';
import type { BlobStore } from '../blobs/store.js';
import { layerTypeOf } from '../oci/media-types.js';
import type { Compression } from '../values/compression.js';
import { fail } from '../values/error.js';
import { contentKey } from './content-key.js';
import { checkEntry, type LayerEntry } from './entry.js';
import { entryBytes } from './entry-bytes.js';
import type { LayerCache, PackedLayer } from './layer-cache.js';

export type { PackedLayer } from './layer-cache.js';

/** How a layer's blob is made and where it goes. */
export interface PackOptions {
  readonly store: BlobStore;
  readonly compression?: Compression | undefined;
  /** Remembers which blob a tar became, so that the same tar is not compressed twice. */
  readonly cache?: LayerCache | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes one layer of these entries, in whatever order they come: the same entries always make the same bytes. Every
 * directory must be among them; none is invented. With a cache, files are not read where the hashes of all of them are known
 * and have made a layer before. Throws `LAYER_FILE_REFUSED`, `LAYER_TREE_CHANGED` and the store's errors;
 * then nothing new is in the store.
 */
export async function packLayer(entries: readonly LayerEntry[], options: PackOptions): Promise<PackedLayer> {
  for (const entry of entries) checkEntry(entry);
  const sorted = [...entries].sort((a, b) => compareNames(a.path, b.path));
  const twice = sorted.find((entry, n) => entry.path === sorted[n + 1]?.path);
  if (twice !== undefined) throw fail('INTERNAL', { what: `a layer would have the path /${twice.path} twice` });
  const tar = () => entryBytes(sorted, options.signal);
  const { cache, compression = 'gzip', store } = options;
  const compressor = compressorOf(compression);
  if (cache === undefined) return packWith(compressor, tar(), store);
  const content = contentKey(sorted);
  const known = content === undefined ? undefined : await cache.recall(compressor.name, content, store);
  if (known !== undefined) return known;
  const packed = await packOnce(tar, bulkOf(sorted), { cache, compressor, store });
  if (content !== undefined) await cache.remember(compressor.name, content, packed);
  return packed;
}

/** Makes a layer of a tar. */
export async function packTar(tar: AsyncIterable<Uint8Array>, options: PackOptions): Promise<PackedLayer> {
  return packWith(compressorOf(options.compression ?? 'gzip'), tar, options.store);
}

async function packWith(
  { compress, format }: Compressor,
  tar: AsyncIterable<Uint8Array>,
  store: BlobStore,
): Promise<PackedLayer> {
  const tap = measuring();
  const blob = await store.ingest(compress(tap.pass(tar)));
  return { descriptor: { mediaType: layerTypeOf(format), ...blob }, ...tap.result() };
}

interface CachedOptions {
  readonly cache: LayerCache;
  readonly compressor: Compressor;
  readonly store: BlobStore;
}

/**
 * Compresses a tar unless its blob is known. If the cache may know one of this bulk, the tar is hashed first: `tar` may be
 * called twice and must give the same bytes both times.
 */
async function packOnce(
  tar: () => AsyncIterable<Uint8Array>,
  bulk: string,
  { cache, compressor, store }: CachedOptions,
): Promise<PackedLayer> {
  const hashed = (await cache.mayHave(compressor.name, bulk)) ? await measure(tar()) : undefined;
  if (hashed !== undefined) {
    const known = await cache.get(compressor.name, { bulk, ...hashed }, store);
    if (known !== undefined) return { descriptor: known, ...hashed };
  }
  const packed = await packWith(compressor, tar(), store);
  if (hashed !== undefined && packed.diffId !== hashed.diffId) {
    throw fail('LAYER_TREE_CHANGED', {
      what: 'the tree changed while its layer was written',
      why: `${hashed.diffId} became ${packed.diffId}`,
    });
  }
  await cache.put(compressor.name, { bulk, ...packed });
  return packed;
}

/** Equal for equal tars, and known without reading a file: how many entries there are and how many bytes they were seen to have. */
function bulkOf(entries: readonly LayerEntry[]): string {
  const bytes = entries.reduce((sum, entry) => sum + (entry.type === 'file' ? sizeOf(entry) : 0), 0);
  return `${entries.length}-${bytes}`;
}

function sizeOf(entry: LayerEntry & { readonly type: 'file' }): number {
  return typeof entry.from === 'string' ? (entry.size ?? 0) : entry.from.byteLength;
}

async function measure(tar: AsyncIterable<Uint8Array>) {
  const tap = measuring();
  for await (const _ of tap.pass(tar));
  return tap.result();
}

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { decompress } from '../archive/decompress.js';
import { gzip } from '../archive/gzip.js';
import { measuring } from '../archive/measure.js';
import { IMAGE_ARCHIVE } from '../archive/tar-profile.js';
import { readTar } from '../archive/tar-read.js';
import type { BlobStore } from '../blobs/store.js';
import { MAX_DOCUMENT_BYTES } from '../oci/documents.js';
import type { Layer } from '../oci/image.js';
import { OCI_LAYER_GZIP } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { fail, isFailure, systemCode } from '../values/error.js';
import { formatPlace, type Place } from '../values/place.js';
import { refuseTagInPath } from './tag-in-path.js';

export type ArchivePlace = Extract<Place, { kind: 'oci-archive' | 'docker-archive' }>;

/** What an archive holds: small files by their bytes, layers by what they became. */
export interface Members {
  readonly documents: ReadonlyMap<string, Uint8Array>;
  readonly layers: ReadonlyMap<string, Layer>;
  /** Symlinks: old `docker save` has a layer once and links to it. */
  readonly links: ReadonlyMap<string, string>;
  /** What went into the store as it was: the blobs of an OCI archive. */
  readonly blobs: readonly Pick<Descriptor, 'digest' | 'size'>[];
}

/** Reads an archive once. Its blobs and layers go into `store`. Throws `IMAGE_NOT_FOUND`, `ARCHIVE_INVALID`. */
export async function readMembers(place: ArchivePlace, store: BlobStore): Promise<Members> {
  try {
    return await membersOf(place, store);
  } catch (error) {
    if (!isFailure(error, 'ARCHIVE_INVALID')) throw error;
    const { message, why, fix, details } = error;
    throw fail('ARCHIVE_INVALID', { what: `${formatPlace(place)}: ${message}`, why, fix, details, cause: error });
  }
}

async function membersOf(place: ArchivePlace, store: BlobStore): Promise<Members> {
  const documents = new Map<string, Uint8Array>();
  const layers = new Map<string, Layer>();
  const links = new Map<string, string>();
  const blobs: Pick<Descriptor, 'digest' | 'size'>[] = [];
  for await (const { entry, content } of readTar(decompress(fileBytes(place)), IMAGE_ARCHIVE)) {
    if (entry.type === 'symlink' && entry.linkName !== undefined) links.set(entry.path, entry.linkName);
    if (entry.type !== 'file') continue;
    if (place.kind === 'oci-archive' && entry.path.startsWith('blobs/')) {
      blobs.push(await store.ingest(content));
      continue;
    }
    const small = entry.size <= MAX_DOCUMENT_BYTES ? await bytesOf(content) : undefined;
    if (small !== undefined && isJson(small)) documents.set(entry.path, small);
    else if (isLayerName(entry.path))
      layers.set(entry.path, await ingestLayer(small === undefined ? content : Readable.from([small]), store));
  }
  return { documents, layers, links, blobs };
}

async function* fileBytes(place: ArchivePlace): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(place.path, { highWaterMark: 1 << 20 });
  } catch (error) {
    if (!['ENOENT', 'EISDIR', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    if (place.kind === 'oci-archive') await refuseTagInPath(place);
    throw fail('IMAGE_NOT_FOUND', {
      what: `${formatPlace(place)} is not there`,
      why:
        systemCode(error) === 'ENOENT' ? `there is no file ${place.path}` : `it cannot be read (${systemCode(error)})`,
      fix: 'check the path',
      details: { path: place.path },
    });
  }
}

/** `docker save` names layers `ID/layer.tar`, `HEX.tar`, or, since version 25, as blobs like the documents. */
function isLayerName(path: string): boolean {
  return path.endsWith('.tar') || path.startsWith('blobs/');
}

/** No tar is JSON: it is full of zero bytes. */
function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString());
    return true;
  } catch {
    return false;
  }
}

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function ingestLayer(content: AsyncIterable<Uint8Array>, store: BlobStore): Promise<Layer> {
  const tap = measuring();
  const blob = await store.ingest(gzip(tap.pass(decompress(content))));
  return { descriptor: { mediaType: OCI_LAYER_GZIP, ...blob }, diffId: tap.result().diffId };
}

/** The error for an archive that lacks something. */
export function notAnImage(place: ArchivePlace, why: string) {
  return fail('LAYOUT_INVALID', {
    what: `${place.path} is not ${place.kind === 'oci-archive' ? 'an OCI' : 'a Docker'} archive`,
    why,
  });
}

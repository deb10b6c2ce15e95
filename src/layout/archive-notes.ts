import { stat } from 'node:fs/promises';
import { isWhole } from '../blobs/is-whole.js';
import type { BlobStore, Notes } from '../blobs/store.js';
import type { Layer } from '../oci/image.js';
import { OCI_LAYER_GZIP } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { digestOf, hexOf, parseDiffId, parseDigest } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import { isFailure, type Json } from '../values/error.js';
import { asObject, asSize, asString, asStringMap, type Located, member, parseJson } from '../values/json.js';
import { type ArchivePlace, type Members, readMembers } from './archive-members.js';

/**
 * Reads an archive, or recalls what it held when it was read before: its layers then need not be compressed again. A file is
 * known by inode, size and times, of which nobody can set the last one; and all that a note names is read through and
 * verified, so that it can be out of date but never wrong. Throws as `readMembers`.
 */
export async function membersOnce(place: ArchivePlace, store: BlobStore): Promise<Members> {
  const { notes } = store;
  const name = notes === undefined ? undefined : await noteName(place);
  if (notes === undefined || name === undefined) return readMembers(place, store);
  const known = await recall(await notes.read(name), store);
  if (known !== undefined) return known;
  const members = await readMembers(place, store);
  if ((await noteName(place)) === name) await remember(name, members, notes, store);
  return members;
}

/** To be raised when members are read in another way. */
const FORMAT = 1;

async function noteName({ kind, path }: ArchivePlace): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return hexOf(digestOf(Buffer.from([FORMAT, kind, dev, ino, size, mtimeNs, ctimeNs].join(' '))));
}

async function remember(name: string, members: Members, notes: Notes, store: BlobStore): Promise<void> {
  const documents: [string, Json][] = [];
  for (const [path, bytes] of members.documents) {
    const { digest, size } = await store.ingest(inOne(bytes));
    documents.push([path, { digest, size }]);
  }
  const layers = [...members.layers].map(([path, { diffId, descriptor }]): [string, Json] => [
    path,
    { diffId, digest: descriptor.digest, size: descriptor.size },
  ]);
  const note = {
    documents: Object.fromEntries(documents),
    layers: Object.fromEntries(layers),
    links: Object.fromEntries(members.links),
    blobs: Object.fromEntries(members.blobs.map(({ digest, size }) => [digest, { digest, size }])),
  };
  await notes.write(name, canonicalJson(note));
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Undefined where there is no note, none that can be read, or one that names what is damaged or gone. */
async function recall(text: string | undefined, store: BlobStore): Promise<Members | undefined> {
  if (text === undefined) return undefined;
  try {
    const note = parseJson(Buffer.from(text), 'note', 'STORE_FAILED');
    const layers = entriesOf(member(note, 'layers'), layerAt);
    const blobs = entriesOf(member(note, 'blobs'), blobAt).map(([, blob]) => blob);
    for (const blob of [...layers.map(([, { descriptor }]) => descriptor), ...blobs]) {
      if (!(await isWhole(blob, store))) return undefined;
    }
    const documents = new Map<string, Uint8Array>();
    for (const [path, blob] of entriesOf(member(note, 'documents'), blobAt))
      documents.set(path, await store.read(blob));
    return {
      documents,
      layers: new Map(layers),
      links: new Map(Object.entries(asStringMap(member(note, 'links')))),
      blobs,
    };
  } catch (error) {
    if (isFailure(error, 'STORE_FAILED', 'DIGEST_INVALID', 'BLOB_NOT_FOUND', 'DIGEST_MISMATCH')) return undefined;
    throw error;
  }
}

function entriesOf<T>(at: Located, read: (at: Located) => T): readonly (readonly [string, T])[] {
  return Object.keys(asObject(at)).map((key) => [key, read(member(at, key))] as const);
}

function blobAt(at: Located): Descriptor {
  const digest = parseDigest(asString(member(at, 'digest')));
  return { mediaType: 'application/octet-stream', digest, size: asSize(member(at, 'size')) };
}

function layerAt(at: Located): Layer {
  const descriptor = { ...blobAt(at), mediaType: OCI_LAYER_GZIP };
  return { descriptor, diffId: parseDiffId(asString(member(at, 'diffId'))) };
}

import { findImage } from '../blobs/find-image.js';
import { readWhole } from '../blobs/find-whole.js';
import type { ImageSource } from '../blobs/images.js';
import type { BlobReader, BlobStore } from '../blobs/store.js';
import { imagesOf, othersOf, type Whole } from '../oci/image-index.js';
import { isIndex, isManifest } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, isDigest } from '../values/digest.js';
import { fail, isFailure } from '../values/error.js';
import type { Listener } from '../values/events.js';
import { defined } from '../values/json.js';
import { isPreviousTag } from '../values/previous-tag.js';
import type { Client } from './client.js';
import type { Documents } from './documents.js';
import { registryBlobs } from './download.js';
import { type KeptDocuments, keptDocuments } from './kept-documents.js';
import { layersAhead } from './layers-ahead.js';
import { type FoundManifest, getManifest, type Repository } from './manifests.js';
import type { Mounts } from './mounts.js';
import { formatName, type ImageName } from './name.js';
import { listTags } from './tags.js';

export interface SourceOptions {
  readonly client: Client;
  /** Keeps the layers that are read. */
  readonly store: BlobStore;
  readonly mounts: Mounts;
  readonly documents: Documents;
  /** Hosts to ask before the registry itself. */
  readonly mirrors: readonly string[];
  readonly isHint?: boolean | undefined;
  /** Keeps the documents too. */
  readonly isBase?: boolean | undefined;
  readonly on: Listener;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An image in a registry as a source. The tag is asked for once; from then on everything goes by digest, from where the tag
 * was answered. A mirror that does not have it, or does not answer, is passed over. Of a base, what a digest names is read
 * from the store as far as it is there, and no registry is asked for it.
 */
export function registrySource(name: ImageName, options: SourceOptions): ImageSource {
  const { store, mirrors, documents } = options;
  const { digest: _, ...tagged } = name;
  const named = name.tag === undefined ? {} : { name: formatName(tagged) };
  const place = `docker://${formatName(name)}`;
  const kept = options.isBase ? keptDocuments(store, name) : undefined;
  const open = async () => {
    const resolve = once(() => resolveName(name, options, kept));
    const known = name.digest === undefined ? undefined : await kept?.descriptorOf(name.digest);
    const top = known ?? (await resolve()).found.descriptor;
    const remote = lazily(async () => registryBlobs((await resolve()).from));
    const read = documentsOf(resolve, remote, documents, kept);
    // What was kept may have come from a mirror, where nothing is mounted from.
    const isHere = known === undefined ? (await resolve()).from.host === name.host : mirrors.length === 0;
    const blobsOf = (whole: Whole) => {
      if (isHere) for (const image of imagesOf(whole)) options.mounts.learn(name, image);
      return { ...wholeBlobs(whole, remote, options), read };
    };
    return { top, read, blobsOf };
  };
  return {
    root: async () => defined({ digest: (await open()).top.digest, tag: name.tag }),
    find: async (platform) => {
      const { top, read, blobsOf } = await open();
      const found = await findImage(top, platform, { read }, place);
      return { ...found, ...named, blobs: blobsOf(found.image) };
    },
    findWhole: async () => {
      const { top, read, blobsOf } = await open();
      const whole = await readWhole(top, { read }, place);
      return { whole, ...named, blobs: blobsOf(whole) };
    },
  };
}

/** Layers come by way of the store, each with those above it. */
function wholeBlobs(whole: Whole, remote: BlobReader, { store, client, on }: SourceOptions): Omit<BlobReader, 'read'> {
  const ahead = (layers: readonly Descriptor[]) => layersAhead(layers, { store, remote, most: client.parallel, on });
  const lists = [
    ...imagesOf(whole).map(({ manifest }) => manifest.value.layers),
    ...othersOf(whole).map(({ other }) => [other.value.config, ...other.value.layers]),
  ];
  const readers = new Map<Digest, ReturnType<typeof ahead>>();
  for (const list of lists) {
    const reader = ahead(list);
    for (const { digest } of list) readers.set(digest, reader);
  }
  const alone = ahead([]);
  return {
    has: async (digest) => (await store.has(digest)) || remote.has(digest),
    stream: (descriptor) => (readers.get(descriptor.digest) ?? alone).stream(descriptor),
    fileOf: async (descriptor) => (readers.get(descriptor.digest) ?? alone).fileOf(descriptor),
  };
}

interface Resolved {
  readonly from: Repository;
  readonly found: FoundManifest;
}

async function resolveName(
  name: ImageName,
  options: SourceOptions,
  kept: KeptDocuments | undefined,
): Promise<Resolved> {
  const resolved = await askFor(name, options);
  await kept?.keep(resolved.found.descriptor, resolved.found.bytes);
  return resolved;
}

async function askFor(name: ImageName, options: SourceOptions): Promise<Resolved> {
  const { client, mirrors, isHint, signal } = options;
  const reference = name.digest ?? name.tag ?? 'latest';
  for (const host of mirrors) {
    const from = { client, host, repository: name.repository, signal };
    const found = await manifestAt(from, reference, options.documents).catch((error: unknown) => {
      if (signal?.aborted || !isFailure(error)) throw error;
      return undefined;
    });
    if (found !== undefined) return { from, found };
  }
  const from = { client, host: name.host, repository: name.repository, isHint, signal };
  const found = await manifestAt(from, reference, options.documents);
  if (found !== undefined) return { from, found };
  throw await notFound(from, name, reference);
}

/** A manifest by its tag, or by its digest: that one is asked for once. */
async function manifestAt(
  from: Repository,
  reference: string,
  documents: Documents,
): Promise<FoundManifest | undefined> {
  const known = isDigest(reference) ? documents.get(from, reference) : undefined;
  if (known !== undefined) return known;
  const found = await getManifest(from, reference);
  if (found !== undefined) documents.keep(from, found);
  return found;
}

/** Manifests are at an address of their own. What was read of a repository is not asked for again. */
function documentsOf(
  resolve: () => Promise<Resolved>,
  remote: BlobReader,
  documents: Documents,
  kept: KeptDocuments | undefined,
): BlobReader['read'] {
  const ask = async (descriptor: Descriptor, from: Repository): Promise<Uint8Array> => {
    const { mediaType, digest, size } = descriptor;
    const known = documents.get(from, digest);
    if (known?.descriptor.size === size) return known.bytes;
    if (!isManifest(mediaType) && !isIndex(mediaType)) {
      const bytes = await remote.read(descriptor);
      documents.keep(from, { descriptor, bytes });
      return bytes;
    }
    const found = await manifestAt(from, digest, documents);
    if (found !== undefined) return found.bytes;
    throw fail('BLOB_NOT_FOUND', {
      what: `there is no manifest ${digest} in ${from.host}/${from.repository}`,
      why: 'an index names it, and the registry does not have it',
      details: { digest },
    });
  };
  return async (descriptor) => {
    const whole = await kept?.read(descriptor);
    if (whole !== undefined) return whole;
    const bytes = await ask(descriptor, (await resolve()).from);
    await kept?.keep(descriptor, bytes);
    return bytes;
  };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let doing: Promise<T> | undefined;
  return () => {
    doing ??= work();
    return doing;
  };
}

/** A reader that is found out about when it is needed. */
function lazily(open: () => Promise<BlobReader>): BlobReader {
  return {
    has: async (digest) => (await open()).has(digest),
    stream: async function* stream(descriptor) {
      yield* (await open()).stream(descriptor);
    },
    read: async (descriptor) => (await open()).read(descriptor),
  };
}

const MOST_TAGS = 10;

async function notFound(from: Repository, name: ImageName, reference: string) {
  const tags = (await listTags(from).catch(() => [])).filter((tag) => !isPreviousTag(tag));
  const some = tags.slice(-MOST_TAGS).map((tag) => formatName({ host: name.host, repository: name.repository, tag }));
  return fail('IMAGE_NOT_FOUND', {
    what: `docker://${formatName(name)} is not there`,
    why: `${from.host} knows no ${reference} in ${from.repository}`,
    fix: some.length === 0 ? 'check the name' : `name one of its tags: ${some.join(', ')}`,
  });
}

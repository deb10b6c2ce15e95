import type { ImageTarget, PutOptions } from '../blobs/images.js';
import type { BlobReader } from '../blobs/store.js';
import { digestOfWhole, imagesOf, type Pieces, piecesOf } from '../oci/image-index.js';
import type { Digest } from '../values/digest.js';
import type { Listener } from '../values/events.js';
import type { Client } from './client.js';
import type { Documents } from './documents.js';
import { lackedBy } from './lacks.js';
import { type FoundManifest, getManifest, pushScope, type Repository } from './manifests.js';
import type { Mounts } from './mounts.js';
import { lookAtTag, moveTag, prepareMove, requireTag } from './move-tag.js';
import { formatName, type ImageName } from './name.js';
import { pushManifest } from './push-manifest.js';
import { pushPieces } from './push-pieces.js';
import { cancelUpload, startUpload } from './upload.js';

export interface TargetOptions extends PutOptions {
  readonly client: Client;
  readonly mounts: Mounts;
  readonly documents: Documents;
  readonly on: Listener;
  readonly chunkSize: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A repository of a registry as a target: blobs first, several at once; of an index the manifests of its images; the root
 * last, under its tag if there is one. A failed write leaves the tag as it was; what nothing names is for the registry to
 * collect. With `replacing`, the tag is moved only as long as it stands for that.
 */
export function registryTarget(name: ImageName, options: TargetOptions): ImageTarget {
  const { client, host, repository, signal } = { ...options, ...name };
  return {
    check: async () => {
      const to = { client, host, repository, signal };
      await getManifest(to, name.tag ?? name.digest ?? 'latest', {
        scopes: [pushScope(repository)],
        doing: `push ${repository}`,
      });
      // Only a registry that opens an upload will take one.
      await cancelUpload(to, (await startUpload(to)).url);
    },
    put: async (whole, blobs, stop) => {
      const to = { client, host, repository, signal: stop ?? signal };
      const pieces = piecesOf(whole);
      if (name.tag === undefined) await putUntagged(to, pieces, blobs, options);
      else await putTagged(to, name.tag, pieces, blobs, options);
      for (const image of imagesOf(whole)) options.mounts.learn(to, image);
      for (const document of [...pieces.configs, ...pieces.manifests]) options.documents.keep(to, document);
      return `docker://${formatName({ host, repository, digest: digestOfWhole(whole) })}`;
    },
    lacks: (wanted) => lackedBy({ client, host, repository, signal }, wanted, options.mounts),
  };
}

async function putUntagged(to: Repository, pieces: Pieces, blobs: BlobReader, options: TargetOptions): Promise<void> {
  const pushBlobs = () => pushPieces(to, pieces, blobs, { ...options, isNew: true });
  await pushBlobs();
  for (const manifest of pieces.manifests) await pushManifest(to, manifest, pushBlobs);
}

async function putTagged(
  to: Repository,
  tag: string,
  pieces: Pieces,
  blobs: BlobReader,
  options: TargetOptions,
): Promise<void> {
  const { replacing } = options;
  const children = pieces.manifests.slice(0, -1);
  const manifest = pieces.manifests.at(-1) as FoundManifest;
  const { digest } = manifest.descriptor;
  if (replacing?.expected === digest) return requireTag(to, tag, digest);
  // Where an earlier push came to its end, its blobs are only looked at.
  const isThere = replacing === undefined && (await lookAtTag(to, tag)) === digest;
  const lookAtBlobs = () => pushPieces(to, pieces, blobs, options);
  const repair = async () => {
    await lookAtBlobs();
    for (const child of children) await pushManifest(to, child, async () => undefined);
  };
  if (isThere) return void (await lookAtBlobs());
  // What the tag stands for is there as long as it does, and that is seen to right before it is moved.
  const there = replacing && options.documents.blobsOf(to, replacing.expected);
  const move = { tag, manifest, replacing, repair };
  const pushNew = () => pushPieces(to, pieces, blobs, { ...options, there, isNew: true });
  // To mount layers takes a moment, and the look at the tag need not wait for it.
  const isQuick =
    children.length === 0 && pieces.blobs.every(({ digest }) => there?.has(digest) || isElsewhere(to, digest, options));
  if (isQuick) {
    const [before, { sent }] = await bothOf(prepareMove(to, move), pushNew());
    return moveTag(to, move, sent > 0 ? await prepareMove(to, move) : before);
  }
  await pushNew();
  for (const child of children) await pushManifest(to, child, repair);
  await moveTag(to, move, await prepareMove(to, move));
}

/** Whether the blob can be mounted. */
function isElsewhere({ host, repository }: Repository, digest: Digest, { mounts }: TargetOptions): boolean {
  return mounts.sourcesOf(host, digest).some((other) => other !== repository);
}

/** Waits for both, also when one has failed. */
async function bothOf<A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

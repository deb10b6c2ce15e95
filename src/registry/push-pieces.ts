import type { BlobReader } from '../blobs/store.js';
import type { Pieces } from '../oci/image-index.js';
import { inParallel } from '../system/limiter.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import type { Listener } from '../values/events.js';
import type { Repository } from './manifests.js';
import type { Mounts } from './mounts.js';
import { type Uploaded, uploadBlob } from './upload.js';

export interface PushOptions {
  readonly mounts: Mounts;
  readonly on: Listener;
  readonly chunkSize: number;
  /** Blobs that the repository is known to have. */
  readonly there?: ReadonlySet<Digest> | undefined;
  /** Blobs that are not sent if they cannot be mounted. */
  readonly onlyMounted?: ReadonlySet<Digest> | undefined;
  /** The configs hardly can be there. */
  readonly isNew?: boolean | undefined;
}

/** What a push came to. */
export interface Pushed {
  /** Bytes of layers that were sent. */
  readonly sent: number;
}

/** Pushes configs and layers at once. Nothing is under way any more when one of them has failed. */
export async function pushPieces(
  to: Repository,
  { blobs, configs }: Pieces,
  from: BlobReader,
  { there, isNew, ...options }: PushOptions,
): Promise<Pushed> {
  const { parallel } = to.client;
  let sent = 0;
  const missing = blobs.filter(({ digest }) => !there?.has(digest));
  const pushLayers = inParallel(missing, parallel, async (blob) => {
    if ((await push(to, blob, () => from.stream(blob), options)) === 'sent') sent += blob.size;
  });
  const pushConfigs = inParallel(configs, parallel, async ({ descriptor, bytes }) => {
    await push(to, descriptor, () => [bytes], { ...options, isNew });
  });
  const [layers, config] = await Promise.allSettled([pushLayers, pushConfigs]);
  if (layers.status === 'rejected') throw layers.reason;
  if (config.status === 'rejected') throw config.reason;
  return { sent };
}

async function push(
  to: Repository,
  descriptor: Descriptor,
  open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { mounts, on, chunkSize, onlyMounted, isNew }: PushOptions,
): Promise<Uploaded> {
  to.signal?.throwIfAborted();
  const others = () => mounts.sourcesOf(to.host, descriptor.digest).filter((other) => other !== to.repository);
  const mountFrom = isNew ? [] : others();
  const mustMount = onlyMounted?.has(descriptor.digest);
  const uploaded = await uploadBlob(to, { descriptor, open, mountFrom, mustMount, chunkSize, isNew });
  if (uploaded === 'sent' && mountFrom.length > 0)
    on({
      type: 'notice',
      code: 'MOUNT_REFUSED',
      message: `${to.host} did not take ${descriptor.digest} over from ${mountFrom[0]}: ${descriptor.size} bytes were sent`,
    });
  return uploaded;
}

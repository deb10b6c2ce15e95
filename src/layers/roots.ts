import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobReader } from '../blobs/store.js';
import { isDirectory, isThere } from '../system/exists.js';
import { withLock } from '../system/lock.js';
import { readSmall } from '../system/read-small.js';
import { makeWay, removeTree } from '../system/remove.js';
import { diskFull, writeStaged } from '../system/staged.js';
import { withTempDir } from '../system/tempdir.js';
import { hexOf } from '../values/digest.js';
import { fail, systemCode } from '../values/error.js';
import { chainId } from './chain.js';
import { recordInventories } from './inventory.js';
import { prepareMountPoints } from './mount-points.js';
import { type LayerOfImage, openLayer } from './open-layer.js';
import { treeSignature } from './tree-signature.js';
import { unpackLayers } from './unpack.js';

/** Changes when the same layers are to be unpacked in another way. */
const FORMAT = 2;

export interface RootRequest {
  /** The directory that holds all that was unpacked. */
  readonly directory: string;
  /** The layers, lowest first. */
  readonly layers: readonly LayerOfImage[];
  readonly blobs: BlobReader;
  /** The directory of lists of what is in a base (`readInventory`): made in the same pass. */
  readonly inventories?: string | undefined;
  /** Told the name of a root in its directory before it is looked for. */
  readonly use?: ((name: string) => Promise<void>) | undefined;
  /** Told of what is in the place of a root and is none, or is damaged, before it is replaced. */
  readonly onDamaged?: ((path: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The base unpacked as a sandbox's root. It is unpacked once and then found again; it must not be written to. Two who need
 * it at once wait for each other. A root appears only when it is complete; one that failed leaves nothing. One that
 * does not look as it did then is unpacked again, and `onDamaged` is told.
 * Throws `BASE_APP_DIRECTORY`, `BASE_UNUSABLE`, `DISK_FULL`, and what `unpackLayers` throws.
 */
export async function unpackedRoot(request: RootRequest): Promise<{ readonly path: string; readonly cached: boolean }> {
  if (request.layers.length === 0)
    throw fail('BASE_UNUSABLE', { what: 'the base has no layers, so that nothing can run in it' });
  return unpackedOnce(request, 'base', prepareMountPoints);
}

/**
 * An app's own layers unpacked, to be copied from: once, like a base's. Throws `DISK_FULL` and what `unpackLayers` throws.
 */
export async function unpackedApp(request: Omit<RootRequest, 'inventories'>): Promise<{ readonly path: string }> {
  return unpackedOnce(request, 'app', () => {});
}

async function unpackedOnce(request: RootRequest, kind: 'base' | 'app', prepare: (root: string) => void) {
  const { directory, layers, signal } = request;
  const name = `${kind}-${FORMAT}-${hexOf(chainId(layers.map(({ diffId }) => diffId)))}`;
  const path = join(directory, name);
  await request.use?.(name);
  if (await isWhole(path)) return { path, cached: true };
  await mkdir(directory, { recursive: true });
  return await withLock(path, { waitMs: 600_000, signal }, async () => {
    if (await isWhole(path)) return { path, cached: true };
    if (await isThere(path)) request.onDamaged?.(path);
    await unpack(request, path, prepare);
    return { path, cached: false };
  });
}

async function unpack(
  { directory, layers, blobs, inventories, signal }: RootRequest,
  path: string,
  prepare: (root: string) => void,
): Promise<void> {
  await withTempDir('root', directory, async (staged) => {
    const root = join(staged, 'root');
    await mkdir(root);
    try {
      await unpackLayers(
        layers.map((layer) => openLayer(layer, blobs)),
        root,
        signal,
        inventories === undefined ? undefined : recordInventories(inventories, layers),
      );
      prepare(root);
    } catch (error) {
      if (!['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')) throw error;
      throw await diskFull(directory, error);
    }
    await removeTree(path);
    await rename(root, path);
    await makeWay(markOf(path));
    await writeStaged(markOf(path), treeSignature(path));
  });
}

/** Looks as it did when it was complete. To read all of it would take longer than to unpack it. */
async function isWhole(path: string): Promise<boolean> {
  if (!(await isDirectory(path))) return false;
  const mark = await readSmall(markOf(path));
  if (mark === undefined) return false;
  try {
    return mark === treeSignature(path);
  } catch {
    return false;
  }
}

function markOf(path: string): string {
  return `${path}.complete`;
}

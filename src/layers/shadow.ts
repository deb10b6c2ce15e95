import type { BlobReader } from '../blobs/store.js';
import type { Shadowed } from '../oci/rebase-plan.js';
import { fail } from '../values/error.js';
import { type Inventory, type InventoryEntry, rootWith } from './merge.js';
import { type LayerOfImage, openLayer } from './open-layer.js';
import { drainLayer } from './unpack.js';

export interface ShadowRequest {
  /** What the old base has, and the new one. */
  readonly before: Inventory;
  readonly after: Inventory;
  /** The layers that lie over them, lowest first. */
  readonly layers: readonly LayerOfImage[];
  readonly blobs: BlobReader;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What differs between two bases and nobody will see, since upper layers replace or delete it: who patches a base believes
 * these files patched. Each upper layer is read once, unless the bases are the same. Throws what reading throws.
 */
export async function shadowedPaths(request: ShadowRequest): Promise<readonly Shadowed[]> {
  const { before, after } = request;
  const changes = changesBetween(before, after);
  if (changes.length === 0) return [];
  const above = await onTop(request);
  return changes.flatMap(({ path, change }): Shadowed[] => {
    const seen = above.get(path);
    if (change === 'removed') return seen === undefined ? [] : [{ path: `/${path}`, change, by: 'replaced' }];
    if (seen === after.get(path)) return [];
    return [{ path: `/${path}`, change, by: seen === undefined ? 'deleted' : 'replaced' }];
  });
}

/** Directories say little: what is in them counts. */
function changesBetween(before: Inventory, after: Inventory): readonly Omit<Shadowed, 'by'>[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => (a < b ? -1 : 1));
  return paths.flatMap((path): Omit<Shadowed, 'by'>[] => {
    const [old, now] = [notDirectory(before.get(path)), notDirectory(after.get(path))];
    if (old === undefined) return now === undefined ? [] : [{ path, change: 'added' }];
    if (now === undefined) return [{ path, change: 'removed' }];
    return isSame(old, now) ? [] : [{ path, change: 'changed' }];
  });
}

function notDirectory(entry: InventoryEntry | undefined): InventoryEntry | undefined {
  return entry?.type === 'directory' ? undefined : entry;
}

function isSame(a: InventoryEntry, b: InventoryEntry): boolean {
  const isAlike = a.type === b.type && a.mode === b.mode && a.size === b.size && a.target === b.target;
  return isAlike && a.facts?.crc === b.facts?.crc;
}

async function onTop({ after, layers, blobs, signal }: ShadowRequest): Promise<Inventory> {
  const root = rootWith(after);
  for (const layer of layers) {
    root.beginLayer();
    await drainLayer(openLayer(layer, blobs), {
      begin({ entry }) {
        if (signal?.aborted) throw fail('INTERRUPTED', { what: 'interrupted while an image was looked through' });
        root.add(entry);
      },
      data: () => {},
      end: () => {},
    });
  }
  return root.inventory();
}

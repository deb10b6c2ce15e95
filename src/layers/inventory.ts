import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TarEntry } from '../archive/tar-entry.js';
import type { TarSink } from '../archive/tar-parse.js';
import type { BlobReader } from '../blobs/store.js';
import { readPlain } from '../system/read-small.js';
import { makeWay } from '../system/remove.js';
import { writeStaged } from '../system/staged.js';
import { hexOf } from '../values/digest.js';
import { fail } from '../values/error.js';
import { chainId } from './chain.js';
import { type Examiner, examine } from './examine.js';
import { formatInventory, INVENTORY_FORMAT, openInventory } from './inventory-text.js';
import { emptyRoot, type Inventory, type InventoryEntry, type Merged } from './merge.js';
import { type LayerOfImage, openLayer } from './open-layer.js';
import { drainLayer, type LayerWatcher } from './unpack.js';
import { walkPath } from './walk-path.js';

export interface InventoryRequest {
  /** The directory that holds all lists; without one, nothing is remembered. */
  readonly directory?: string | undefined;
  /** Told the name of a list in its directory before it is looked for. */
  readonly use?: ((name: string) => Promise<void>) | undefined;
  /** An image's layers, lowest first. */
  readonly layers: readonly LayerOfImage[];
  readonly blobs: BlobReader;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What an image has, read from its layers without unpacking them. A list is made once and then found again; one that cannot
 * be read is made anew. Throws `ARCHIVE_INVALID`, `DIGEST_MISMATCH`, and the store's errors.
 */
export async function readInventory(request: InventoryRequest): Promise<Inventory> {
  const { directory, layers } = request;
  if (directory === undefined) return await readLayers(request);
  const known = await knownInventory({ ...request, directory });
  if (known !== undefined) return known;
  const inventory = await readLayers(request);
  await save(directory, layers, inventory);
  return inventory;
}

/** The list that was made before, if there is one. No layer is read. */
export async function knownInventory({
  directory,
  layers,
  use,
}: Pick<InventoryRequest, 'layers' | 'use'> & { readonly directory: string }): Promise<Inventory | undefined> {
  if (layers.length === 0) return new Map();
  await use?.(nameOf(layers));
  return recall(join(directory, nameOf(layers)));
}

/** How many lists are kept in memory: the bases below and above a whole fleet are two. */
const MOST_RECALLED = 4;

const recalled = new Map<string, Promise<Inventory | undefined>>();

/** Opens a list, once for as long as its file stays the same. */
async function recall(file: string): Promise<Inventory | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  const key = [file, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
  const reading = recalled.get(key) ?? readPlain(file).then((bytes) => bytes && openInventory(bytes));
  recalled.delete(key);
  recalled.set(key, reading);
  for (const oldest of [...recalled.keys()].slice(0, -MOST_RECALLED)) recalled.delete(oldest);
  return reading;
}

/**
 * Lists what is being unpacked, and keeps the list after each layer: a run base is often the lowest layers of its build
 * base, and then neither has to be read again.
 */
export function recordInventories(directory: string, layers: readonly LayerOfImage[]): LayerWatcher {
  const root = emptyRoot();
  let begun = 0;
  return {
    beginLayer: () => {
      begun += 1;
      root.beginLayer();
    },
    add: root.add,
    endLayer: () => save(directory, layers.slice(0, begun), root.inventory()),
  };
}

async function save(directory: string, layers: readonly LayerOfImage[], inventory: Inventory): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, nameOf(layers));
  await makeWay(file);
  await writeStaged(file, formatInventory(inventory));
}

function nameOf(layers: readonly LayerOfImage[]): string {
  return `${INVENTORY_FORMAT}-${hexOf(chainId(layers.map(({ diffId }) => diffId)))}`;
}

/**
 * What a path of the image leads to, all links followed; undefined if it is not there. `path` is given free of links.
 * A link that goes in circles leads nowhere.
 */
export function resolveIn(
  inventory: Inventory,
  path: string,
): { readonly path: string; readonly entry: InventoryEntry } | undefined {
  try {
    const found = walkPath({ look: (at) => inventory.get(at), files: true }, path);
    const entry = found === undefined ? undefined : inventory.get(found);
    return found === undefined || entry === undefined ? undefined : { path: found, entry };
  } catch {
    return undefined;
  }
}

async function readLayers({ layers, blobs, signal }: InventoryRequest): Promise<Inventory> {
  const root = emptyRoot();
  for (const layer of layers) {
    root.beginLayer();
    await drainLayer(openLayer(layer, blobs), listing(root, signal));
  }
  return root.inventory();
}

function listing(root: Merged, signal: AbortSignal | undefined): TarSink {
  let entry: TarEntry | undefined;
  let examiner: Examiner | undefined;
  return {
    begin(head) {
      if (signal?.aborted) throw fail('INTERRUPTED', { what: 'interrupted while an image was looked through' });
      entry = head.entry;
      examiner = examine(entry);
    },
    data: (bytes) => examiner?.data(bytes),
    end: () => {
      if (entry !== undefined) root.add(entry, examiner?.facts());
    },
  };
}

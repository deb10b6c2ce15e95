import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareNames } from '../archive/tar-write.js';
import type { BlobReader } from '../blobs/store.js';
import type { LayerScan, ScannedEntry } from '../policy/scan.js';
import { readSmall } from '../system/read-small.js';
import { makeWay } from '../system/remove.js';
import { writeStaged } from '../system/staged.js';
import { type DiffId, digestOf, hexOf } from '../values/digest.js';
import { fail } from '../values/error.js';
import type { LayerEntry } from './entry.js';
import type { PackedLayer } from './layer-cache.js';
import { type LayerOfImage, openLayer } from './open-layer.js';
import { drainLayer } from './unpack.js';

/** Changes when the scans of the same layers are to be made or written in another way. */
const SCAN_FORMAT = 1;

export interface ScanRequest {
  /** The directory that holds all scans. */
  readonly directory: string;
  readonly layer: LayerOfImage;
  readonly blobs: BlobReader;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a layer holds. It is read once and then found again by its diffID; a scan that is not as it was written is made anew.
 * Throws `ARCHIVE_INVALID`, `DIGEST_MISMATCH`, `IMAGE_INVALID` and the store's errors.
 */
export async function readScan(request: ScanRequest): Promise<LayerScan> {
  const { directory, layer } = request;
  const known = parse((await readSmall(fileOf(directory, layer.diffId))) ?? '');
  if (known !== undefined) return known;
  const scan = await scanLayer(request);
  await save(directory, layer.diffId, scan);
  return scan;
}

/** Keeps what a layer holds that was just packed from these entries: none of its files is read for it. */
export async function keepScan(directory: string, entries: readonly LayerEntry[], packed: PackedLayer): Promise<void> {
  if (await readSmall(fileOf(directory, packed.diffId))) return;
  const sorted = [...entries].sort((a, b) => compareNames(a.path, b.path));
  const scanned = sorted.map(scannedEntry);
  if (scanned.every((entry) => entry !== undefined))
    await save(directory, packed.diffId, { bytes: packed.size, entries: scanned });
}

/** Undefined for a file whose size nobody has looked at. */
function scannedEntry(entry: LayerEntry): ScannedEntry | undefined {
  const { path, type, mode } = entry;
  if (entry.type === 'symlink') return { path, type, mode, size: 0, link: entry.target };
  if (entry.type === 'directory') return { path, type, mode, size: 0 };
  const size = typeof entry.from === 'string' ? entry.size : entry.from.byteLength;
  return size === undefined ? undefined : { path, type, mode, size };
}

async function scanLayer({ layer, blobs, signal }: ScanRequest): Promise<LayerScan> {
  const opened = openLayer(layer, blobs);
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of opened.tar()) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  const entries: ScannedEntry[] = [];
  await drainLayer(
    { ...opened, tar: counted },
    {
      begin({ entry: { path, type, mode, size, linkName: link }, attributes: xattrs }) {
        if (signal?.aborted) throw fail('INTERRUPTED', { what: 'interrupted while an image was looked through' });
        entries.push({ path, type, mode, size, link, ...(xattrs === undefined ? {} : { xattrs }) });
      },
      data: () => undefined,
      end: () => undefined,
    },
  );
  return { bytes, entries };
}

function fileOf(directory: string, diffId: DiffId): string {
  return join(directory, `scan-${SCAN_FORMAT}-${hexOf(diffId)}`);
}

async function save(directory: string, diffId: DiffId, { bytes, entries }: LayerScan): Promise<void> {
  const rows = entries.map(({ path, type, mode, size, link = 0, xattrs = 0 }) => {
    const row = [path, type, mode, size, link, xattrs];
    return row.slice(0, xattrs !== 0 ? 6 : link !== 0 ? 5 : 4);
  });
  const text = JSON.stringify([bytes, rows]);
  await mkdir(directory, { recursive: true });
  await makeWay(fileOf(directory, diffId));
  await writeStaged(fileOf(directory, diffId), `${sealOf(text)}\n${text}`);
}

type Row = readonly [string, ScannedEntry['type'], number, number, (string | 0)?, (readonly string[])?];

/** A scan is believed only as it was written. */
function parse(kept: string): LayerScan | undefined {
  const text = kept.slice(kept.indexOf('\n') + 1);
  if (kept === '' || kept.slice(0, -text.length - 1) !== sealOf(text)) return undefined;
  const [bytes, rows] = JSON.parse(text) as [number, readonly Row[]];
  return { bytes, entries: rows.map(entryOf) };
}

function entryOf([path, type, mode, size, link, xattrs]: Row): ScannedEntry {
  const entry = { path, type, mode, size, link: link === 0 ? undefined : link };
  return xattrs === undefined ? entry : { ...entry, xattrs };
}

function sealOf(text: string): string {
  return hexOf(digestOf(Buffer.from(text)));
}

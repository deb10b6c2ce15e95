import { join } from 'node:path';
import type { BlobStore } from '../blobs/store.js';
import { LAUNCHER_PATH, launcherScript, PROCESSES_DIR } from '../launcher/launcher.js';
import type { LayerEntry } from '../layers/entry.js';
import type { LayerCache } from '../layers/layer-cache.js';
import { keepScan } from '../layers/layer-scan.js';
import { packLayer } from '../layers/pack.js';
import { type Part, partition } from '../layers/partition.js';
import type { TreeEntry } from '../layers/tree.js';
import { tellOfChanges, treeEntries } from '../layers/tree-entries.js';
import type { Writers } from '../layers/writers.js';
import type { AppLayer } from '../oci/app.js';
import { inParallel } from '../system/limiter.js';
import type { Compression } from '../values/compression.js';
import type { Listener } from '../values/events.js';

/** Who the app runs as and who owns its files. */
export const RUN_UID = 1000;

/** At most this many layers hold an app, launcher and process table included (some runtimes take no more than 127 in all). */
const MAX_LAYERS = 32;

/** Layers that are packed at a time. One keeps all cores busy but for its beginning and end, where it waits for the disk. */
const AT_ONCE = 2;

export interface PackRequest {
  /** The tree on the host, with who wrote what. */
  readonly root: string;
  readonly writers: Writers;
  /** What to call the layer of each step's files: `source`, then the buildpacks. */
  readonly stepNames: readonly string[];
  /** Process type to shell command. */
  readonly processes: Readonly<Record<string, string>>;
  readonly compression: Compression;
}

export interface PackTools {
  readonly store: BlobStore;
  readonly cache: LayerCache;
  /** The directory that keeps what layers hold, for whoever checks the image. */
  readonly scans: string;
  readonly on: Listener;
  readonly signal?: AbortSignal | undefined;
}

/** Puts the app into layers: launcher, process table, then the tree's parts, what changes rarely below what changes often. */
export async function packApp(request: PackRequest, tools: PackTools): Promise<readonly AppLayer[]> {
  const hashOf = (path: string) => request.writers.get(path)?.hash;
  const tree = { root: request.root, at: 'app', uid: RUN_UID, gid: RUN_UID, hashOf };
  const parts = partition(request.writers, request.stepNames, MAX_LAYERS - 2);
  tellOfChanges(entriesOf(request.writers), tree.at, tools.on);
  const contents: readonly (readonly [string, readonly LayerEntry[]])[] = [
    ['launcher', await launcherEntries()],
    ['process table', processEntries(request.processes)],
    ...parts.map((part) => [part.name, treeEntries(openToAll(part.entries), tree)] as const),
  ];
  const layers: AppLayer[] = [];
  await inParallel(contents.entries(), AT_ONCE, async ([at, [name, entries]]) => {
    const packed = await packLayer(entries, { ...tools, compression: request.compression });
    await keepScan(tools.scans, entries, packed);
    layers[at] = { name, descriptor: packed.descriptor, diffId: packed.diffId };
  });
  return layers;
}

/** /app itself is 0755, whatever a buildpack made of BUILD_DIR (R93). */
function openToAll(entries: Part['entries']): Part['entries'] {
  return entries.map((pair) => (pair[0] === '' ? ['', { ...pair[1], mode: 0o755 }] : pair));
}

function* entriesOf(writers: Writers): Generator<readonly [string, TreeEntry]> {
  for (const [path, { entry }] of writers) yield [path, entry];
}

async function launcherEntries(): Promise<readonly LayerEntry[]> {
  return [
    ...rootDirectories(LAUNCHER_PATH),
    { ...ROOT_OWNED, type: 'file', path: relative(LAUNCHER_PATH), mode: 0o755, from: await launcherScript() },
  ];
}

function processEntries(processes: Readonly<Record<string, string>>): readonly LayerEntry[] {
  const files = Object.entries(processes).map(
    ([type, command]): LayerEntry => ({
      ...ROOT_OWNED,
      type: 'file',
      path: relative(join(PROCESSES_DIR, type)),
      mode: 0o644,
      from: Buffer.from(command),
    }),
  );
  return [...rootDirectories(join(PROCESSES_DIR, 'x')), ...files];
}

const ROOT_OWNED = { uid: 0, gid: 0 } as const;

/** The directories above a file, which the layer must bring itself. */
function rootDirectories(path: string): readonly LayerEntry[] {
  const names = relative(path).split('/').slice(0, -1);
  return names.map((_, depth) => ({
    ...ROOT_OWNED,
    type: 'directory',
    path: names.slice(0, depth + 1).join('/'),
    mode: 0o755,
  }));
}

function relative(path: string): string {
  return path.slice(1);
}

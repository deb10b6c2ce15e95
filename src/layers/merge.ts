import type { TarEntry, TarType } from '../archive/tar-entry.js';
import { compareNames } from '../archive/tar-write.js';
import { fail } from '../values/error.js';
import type { FileFacts } from './examine.js';
import { walkPath } from './walk-path.js';
import { whiteoutOf } from './whiteout.js';

/** What an image has at a path, its bytes apart. */
export interface InventoryEntry {
  /** Hard links are what they link to. */
  readonly type: Exclude<TarType, 'link'>;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** A symlink's text. */
  readonly target?: string | undefined;
  /** Of a file, if somebody looked into it. */
  readonly facts?: FileFacts | undefined;
}

/** What an image has, by path and sorted. The root itself is not listed. */
export type Inventory = ReadonlyMap<string, InventoryEntry>;

/** A root filesystem in memory, into which layers are merged by the same rules by which they are unpacked. */
export interface Merged {
  beginLayer(): void;
  /** Throws `ARCHIVE_INVALID` for what no layer can mean. */
  add(entry: TarEntry, facts?: FileFacts): void;
  inventory(): Inventory;
}

interface State {
  readonly entries: Map<string, InventoryEntry>;
  /** The names in each directory. */
  readonly names: Map<string, Set<string>>;
  /** What the current layer has, and the directories above. */
  readonly current: Set<string>;
}

export function emptyRoot(): Merged {
  return rootWith(new Map());
}

/** A root that has something already: entries that no layer touches come out again as the same objects. */
export function rootWith(inventory: Inventory): Merged {
  const state: State = { entries: new Map(), names: new Map(), current: new Set() };
  for (const [path, entry] of inventory) set(state, path, entry);
  return {
    beginLayer: () => state.current.clear(),
    add: (entry, facts) => add(state, entry, facts),
    inventory: () => new Map([...state.entries].sort(([a], [b]) => compareNames(a, b))),
  };
}

function add(state: State, entry: TarEntry, facts: FileFacts | undefined): void {
  const whiteout = whiteoutOf(entry);
  if (whiteout === undefined) put(state, entry, facts);
  else if (whiteout.type === 'remove') {
    const path = existing(state, whiteout.path);
    if (path !== undefined) removeOlder(state, path);
  } else if (whiteout.type === 'empty') {
    const path = walkPath({ look: (at) => state.entries.get(at) }, whiteout.path);
    if (path !== undefined) removeOlderIn(state, path);
  }
}

function put(state: State, entry: TarEntry, facts: FileFacts | undefined): void {
  if (entry.path === '') return;
  const { parent, name } = split(entry.path);
  const directory = walkPath({ look: (at) => state.entries.get(at), make: (at) => set(state, at, INVENTED) }, parent);
  const path = join(directory ?? '', name);
  const converted = convert(state, entry, facts, path);
  if (state.entries.get(path)?.type !== 'directory' || converted.type !== 'directory') remove(state, path);
  set(state, path, converted);
  for (let at = path; at !== '' && !state.current.has(at); at = split(at).parent) state.current.add(at);
}

const INVENTED: InventoryEntry = { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0 };

function set(state: State, path: string, entry: InventoryEntry): void {
  const { parent, name } = split(path);
  state.entries.set(path, entry);
  const names = state.names.get(parent);
  if (names === undefined) state.names.set(parent, new Set([name]));
  else names.add(name);
}

function convert(state: State, entry: TarEntry, facts: FileFacts | undefined, path: string): InventoryEntry {
  const { type, mode, uid, gid, size, linkName = '' } = entry;
  if (type === 'symlink') return { type, mode, uid, gid, size, target: linkName };
  if (type !== 'link') return { type, mode, uid, gid, size, ...(facts === undefined ? {} : { facts }) };
  const from = existing(state, linkName);
  const survives = from !== undefined && !`${from}/`.startsWith(`${path}/`);
  const target = survives ? state.entries.get(from) : undefined;
  if (target !== undefined && target.type !== 'directory') return target;
  throw fail('ARCHIVE_INVALID', {
    what: `the layer has a hard link to no other file: /${entry.path}`,
    why: `/${linkName}`,
  });
}

function existing(state: State, path: string): string | undefined {
  const { parent, name } = split(path);
  const directory = walkPath({ look: (at) => state.entries.get(at) }, parent);
  if (directory === undefined) return undefined;
  return state.entries.has(join(directory, name)) ? join(directory, name) : undefined;
}

function remove(state: State, path: string): void {
  if (!state.entries.delete(path)) return;
  const { parent, name } = split(path);
  state.names.get(parent)?.delete(name);
  for (const inner of [...(state.names.get(path) ?? [])]) remove(state, join(path, inner));
}

function removeOlder(state: State, path: string): void {
  if (state.current.has(path)) removeOlderIn(state, path);
  else remove(state, path);
}

function removeOlderIn(state: State, path: string): void {
  for (const name of [...(state.names.get(path) ?? [])]) removeOlder(state, join(path, name));
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

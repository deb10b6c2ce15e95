import { compareNames } from '../archive/tar-write.js';
import type { TreeEntry } from './tree.js';
import type { Writers } from './writers.js';

/** A part of the app's tree that becomes one layer. Parts are disjoint but for directories, which each part repeats. */
export interface Part {
  /** For people: `.heroku/node`, `source`, `nodejs`. */
  readonly name: string;
  /** Paths with what is there, ancestors first, sorted. The root is `''`. */
  readonly entries: readonly (readonly [string, TreeEntry])[];
  /** Bytes of its files. */
  readonly size: number;
}

/** A directory whose files have this many bytes becomes a part of its own. */
const BIG = 1 << 20;

/** Directories in which not they but their children are the units: `.heroku/node` changes with the runtime, not with `.heroku`. */
const SHELVES: ReadonlySet<string> = new Set(['.heroku', 'vendor']);

/** Ranks of parts, lowest layer first: what changes rarely lies below what changes often. */
const RUNTIME = /^(\.heroku\/|\.apt$|\.jdk$|vendor\/(ruby|jruby|bundle)|\.python)/;
const DEPENDENCIES = /^(node_modules$|vendor\/|\.m2$|\.venv$)/;

/**
 * Cuts the final tree into at most `limit` parts: one per writer, and the writer's big top-level directories apart. The same
 * tree with the same writers gives the same parts. `stepNames[n]` is what to call what step n wrote.
 */
export function partition(writers: Writers, stepNames: readonly string[], limit: number): readonly Part[] {
  const groups = groupByUnit(writers);
  const named = [...groups.values()].map((group) => ({
    ...group,
    name: group.unit || (stepNames[group.step] ?? `step ${group.step}`),
  }));
  const kept = mergeSmallest(named, limit).toSorted((a, b) => rankOf(a) - rankOf(b) || byName(a, b));
  return kept.map((group) => ({ name: group.name, size: group.size, entries: withAncestors(group.paths, writers) }));
}

interface Group {
  readonly step: number;
  readonly unit: string;
  readonly paths: readonly string[];
  readonly size: number;
}

interface Named extends Group {
  readonly name: string;
}

/** A group while it is put together. */
type Growing = { -readonly [key in keyof Group]: Group[key] } & { readonly paths: string[] };

function groupByUnit(writers: Writers): ReadonlyMap<string, Group> {
  const fine = new Map<string, Growing>();
  const filled = directoriesWithChildren(writers);
  for (const [path, { step, entry }] of writers) {
    if (entry.type === 'special' || (entry.type === 'directory' && filled.has(path))) continue;
    add(fine, step, unitOf(path), [path], entry.size);
  }
  const groups = new Map<string, Growing>();
  for (const { step, unit, paths, size } of fine.values()) add(groups, step, size >= BIG ? unit : '', paths, size);
  if (groups.size === 0) add(groups, 0, '', [''], 0);
  return groups;
}

function add(groups: Map<string, Growing>, step: number, unit: string, paths: readonly string[], size: number): void {
  const key = `${step}:${unit}`;
  const group = groups.get(key) ?? { step, unit, paths: [], size: 0 };
  for (const path of paths) group.paths.push(path);
  group.size += size;
  groups.set(key, group);
}

/** `node_modules/express/index.js` belongs to `node_modules`, `.heroku/node/bin/node` to `.heroku/node`, `server.js` to none. */
function unitOf(path: string): string {
  const end = path.indexOf('/');
  if (end === -1) return '';
  const first = path.slice(0, end);
  if (!SHELVES.has(first)) return first;
  const next = path.indexOf('/', end + 1);
  return next === -1 ? '' : path.slice(0, next);
}

/** A directory stands in a layer for its own sake only when nothing in it does. */
function directoriesWithChildren(writers: Writers): ReadonlySet<string> {
  const filled = new Set<string>();
  for (const [path, { entry }] of writers) {
    if (path !== '' && entry.type !== 'special') filled.add(parentOf(path));
  }
  return filled;
}

function mergeSmallest(groups: readonly Named[], limit: number): readonly Named[] {
  if (groups.length <= limit) return groups;
  const bySize = [...groups].sort((a, b) => b.size - a.size || byName(a, b));
  const rest = bySize.slice(limit - 1);
  const step = Math.max(...rest.map((group) => group.step));
  const merged = {
    step,
    unit: '',
    name: 'more',
    paths: rest.flatMap((group) => group.paths),
    size: rest.reduce((sum, group) => sum + group.size, 0),
  };
  return [...bySize.slice(0, limit - 1), merged];
}

/** Two buildpacks may go by one name; what a directory lists first never decides. */
function byName(a: Named, b: Named): number {
  return compareNames(a.name, b.name) || a.step - b.step || compareNames(a.unit, b.unit);
}

function rankOf({ step, unit }: Group): number {
  if (unit !== '' && RUNTIME.test(unit)) return 0;
  if (unit !== '' && DEPENDENCIES.test(unit)) return 1;
  return step === 0 ? 3 : 2;
}

function withAncestors(paths: readonly string[], writers: Writers): readonly (readonly [string, TreeEntry])[] {
  const all = new Set<string>(paths);
  for (const path of paths) {
    for (let at = parentOf(path); !all.has(at); at = parentOf(at)) all.add(at);
  }
  all.add('');
  return [...all].sort(compareNames).map((path) => [path, entryOf(writers, path)] as const);
}

function entryOf(writers: Writers, path: string): TreeEntry {
  const written = writers.get(path);
  if (written === undefined) throw new Error(`partition: ${path} is not in the tree`);
  return written.entry;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

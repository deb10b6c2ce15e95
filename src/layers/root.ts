import { chmodSync, lstatSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { type Inside, inside } from './inside.js';

/** A root filesystem into which layers are unpacked, one after the other. */
export interface Root {
  /** A directory of the host. Nobody else may change it meanwhile. */
  readonly target: string;
  readonly paths: Inside;
  /** What directories get at the end, by their names on the host. */
  readonly directories: Map<string, { readonly mode: number; readonly mtime: number }>;
  /** Paths of devices and the like, which are not made, and of links to them. */
  readonly skipped: Set<string>;
  /** Names on the host of all that the current layer made, and of the directories above. */
  readonly current: Set<string>;
}

export function openRoot(target: string): Root {
  return { target, paths: inside(target), directories: new Map(), skipped: new Set(), current: new Set() };
}

/** What follows belongs to a new layer, over all that is there. */
export function beginLayer(root: Root): void {
  root.current.clear();
}

/** The host's name of a path of the image. Directories on the way to it are made. */
export function fileFor(root: Root, path: string): string {
  const { parent, name } = split(path);
  const directory = root.paths.directory(parent, (file) => {
    chmodSync(file, 0o755);
    root.directories.set(file, { mode: 0o755, mtime: 0 });
  });
  return `${directory}/${name}`;
}

/** The host's name of a path of the image, a last link not followed; undefined if it is not there. */
export function existing(root: Root, path: string): string | undefined {
  const { parent, name } = split(path);
  const directory = root.paths.directory(parent);
  const file = `${directory}/${name}`;
  return directory !== undefined && lstatSync(file, { throwIfNoEntry: false }) ? file : undefined;
}

/** Notes that the current layer made a file. */
export function claim({ target, current }: Root, file: string): void {
  for (let at = file; at.length > target.length && !current.has(at); at = at.slice(0, at.lastIndexOf('/')))
    current.add(at);
}

/** Removes whatever is there. */
export function remove(root: Root, file: string): void {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  rmSync(file, { recursive: true });
  if (!stat.isFile()) root.paths.forget();
  if (!stat.isDirectory()) return;
  // A name that is later reached through a link would lead out of the root.
  for (const known of root.directories.keys()) {
    if (known === file || known.startsWith(`${file}/`)) root.directories.delete(known);
  }
}

/** Removes a path of the lower layers; what the current layer has there stays. */
export function removeLower(root: Root, path: string): void {
  const file = existing(root, path);
  if (file !== undefined) removeOlder(root, file);
}

/** Removes what the lower layers have in a directory. */
export function emptyLower(root: Root, path: string): void {
  const directory = root.paths.directory(path);
  if (directory !== undefined) removeOlderIn(root, directory);
}

/** Gives all directories their modes and times, which until now would have been in the way. */
export function finish(root: Root): void {
  const deepestFirst = [...root.directories].sort(([a], [b]) => b.length - a.length);
  for (const [file, { mode, mtime }] of deepestFirst) {
    utimesSync(file, mtime, mtime);
    chmodSync(file, mode);
  }
}

function removeOlder(root: Root, file: string): void {
  if (!root.current.has(file)) remove(root, file);
  else if (lstatSync(file).isDirectory()) removeOlderIn(root, file);
}

function removeOlderIn(root: Root, directory: string): void {
  for (const name of readdirSync(directory)) removeOlder(root, `${directory}/${name}`);
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

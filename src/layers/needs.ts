import { join, posix } from 'node:path';
import type { Needs } from '../oci/app.js';
import type { Elf } from './elf.js';
import { type FirstLine, readProgramFile } from './program-file.js';
import type { TreeEntry } from './tree.js';

export interface NeedsRequest {
  /** The tree's root on the host. */
  readonly root: string;
  readonly tree: Iterable<readonly [string, TreeEntry]>;
  /** The absolute path of the tree in the image: `/app`. */
  readonly at: string;
  /** Directories that are there only while buildpacks run. */
  readonly buildDirectories: readonly string[];
  /** As in a platform: `amd64`. */
  readonly architecture: string;
  /** What the build base has. */
  readonly base: {
    hasPath(path: string): boolean;
    hasLibrary(soname: string): boolean;
    hasVersion(soname: string, version: string): boolean;
  };
}

export interface FoundNeeds {
  /** What the app uses of the build base: what any base must have for the app to work as it did when it was built. */
  readonly needs: Needs;
  /** What its programs ask for and neither the app nor the build base has: libraries; loaders and interpreters as paths. */
  readonly unmet: Pick<Needs, 'paths' | 'libraries'>;
  /** Programs that scripts have `env` look for and the app does not bring, with the first script that does. */
  readonly programs: ReadonlyMap<string, string>;
  /** For each path and library of both, the first file of the app that refers to it. */
  readonly users: ReadonlyMap<string, string>;
  /** Files that refer to a directory of the build, which is gone at run time: file to the path it names. */
  readonly lost: ReadonlyMap<string, string>;
}

/**
 * Finds what the files of an app refer to outside of it (R59, R114): links, interpreters of scripts, loaders and shared
 * libraries of ELF files. Files for another processor or another C library, of which packages bring variants, count for
 * nothing. Of what links and scripts name, only what the build base has is a need: all else led nowhere from the start.
 */
export function findNeeds(request: NeedsRequest): FoundNeeds {
  const found: Collected = {
    paths: new Map(),
    interpreters: new Map(),
    programs: new Map(),
    commands: new Set(),
    elves: [],
    names: new Set(),
    lost: new Map(),
  };
  found.paths.set('/bin/bash', 'the launcher');
  for (const [path, entry] of [...request.tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (entry.type === 'symlink') collectLink(found, request, path, entry.target ?? '');
    else if (entry.type === 'file' && mayRun(path, entry)) collectFile(found, request, path, entry);
  }
  const { base } = request;
  const libraries = librariesOf(found, request);
  const [metPaths, metLibraries] = [keysWith(found.paths, base.hasPath), keysWith(libraries, base.hasLibrary)];
  const met = keysWith(found.interpreters, base.hasPath);
  return {
    needs: {
      paths: sorted(['/bin/bash', ...metPaths, ...met]),
      libraries: sorted(metLibraries),
      versions: versionsOf(found, new Set(metLibraries), base),
    },
    unmet: { paths: others(found.interpreters, met), libraries: others(libraries, metLibraries) },
    programs: new Map([...found.programs].filter(([name]) => !found.commands.has(name))),
    users: new Map([...libraries, ...found.paths, ...found.interpreters]),
    lost: found.lost,
  };
}

/** Each map leads from what is referred to, or from a file, as told in `FoundNeeds`. */
interface Collected {
  readonly paths: Map<string, string>;
  /** Of scripts, and the loaders of ELF files. */
  readonly interpreters: Map<string, string>;
  readonly programs: Map<string, string>;
  /** By these names the app has programs of its own. */
  readonly commands: Set<string>;
  readonly elves: (readonly [string, Elf])[];
  /** By these names the app has libraries of its own. */
  readonly names: Set<string>;
  readonly lost: Map<string, string>;
}

const LIBRARY = /\.(so(\.[\w.-]+)?|node)$/;

/** `e_machine` of each architecture. */
const MACHINES: Readonly<Record<string, number>> = {
  '386': 3,
  ppc64le: 21,
  s390x: 22,
  arm: 40,
  amd64: 62,
  arm64: 183,
  riscv64: 243,
};

function mayRun(path: string, { mode, size }: TreeEntry): boolean {
  return size > 2 && ((mode & 0o111) !== 0 || LIBRARY.test(path));
}

/** A link is looked at as it lies in the image; one that climbs out of the app leads into the base, too. */
function collectLink(found: Collected, request: NeedsRequest, path: string, target: string): void {
  found.commands.add(posix.basename(path));
  if (LIBRARY.test(path)) found.names.add(posix.basename(path));
  refer(found.paths, found, request, path, posix.resolve(posix.join(request.at, path, '..'), target));
}

function collectFile(found: Collected, request: NeedsRequest, path: string, { mode }: TreeEntry): void {
  const file = readProgramFile(join(request.root, path));
  const isProgram = (mode & 0o111) !== 0;
  if (isProgram) found.commands.add(posix.basename(path));
  if (file?.type === 'script' && isProgram) collectScript(found, request, path, file);
  if (file?.type !== 'elf' || isForeign(file.elf, request)) return;
  const { interpreter, soname } = file.elf;
  found.elves.push([path, file.elf]);
  found.names.add(posix.basename(path));
  if (soname !== undefined) found.names.add(posix.basename(soname));
  if (interpreter !== undefined && isProgram) refer(found.interpreters, found, request, path, interpreter);
}

/** Where `env` finds a program is not known before the app runs; a path is one wherever it stands. */
function collectScript(found: Collected, request: NeedsRequest, path: string, line: FirstLine): void {
  const { interpreter, program } = line;
  refer(found.interpreters, found, request, path, interpreter);
  if (program?.includes('/')) refer(found.interpreters, found, request, path, program);
  else if (program !== undefined) note(found.programs, program, path);
}

/** Notes what a file refers to, unless that is the app's own, what a container mounts, or what comes and goes. */
function refer(into: Map<string, string>, found: Collected, request: NeedsRequest, user: string, target: string): void {
  if (!target.startsWith('/')) return;
  const path = posix.resolve(target);
  if (request.buildDirectories.some((directory) => isIn(directory, path))) found.lost.set(user, path);
  else if (path !== '/' && ![request.at, ...VOLATILE].some((directory) => isIn(directory, path)))
    note(into, path, user);
}

const VOLATILE: readonly string[] = ['/dev', '/proc', '/run', '/sys', '/tmp', '/var/run', '/var/tmp'];

/** Made for another processor, or for musl (or Android) where the base has the GNU C library. */
function isForeign({ machine, needed }: Elf, { architecture, base }: NeedsRequest): boolean {
  if (machine !== (MACHINES[architecture] ?? machine)) return true;
  return needed.some((name) => name === 'libc.so' || (name.startsWith('libc.musl-') && !base.hasLibrary(name)));
}

/** A library that is only where a file's own search path says is needed as a path. */
function librariesOf(found: Collected, request: NeedsRequest): ReadonlyMap<string, string> {
  const libraries = new Map<string, string>();
  for (const [path, { needed, runpath }] of found.elves) {
    for (const name of needed) {
      if (name.includes('/')) refer(found.interpreters, found, request, path, name);
      else if (!found.names.has(name)) {
        const own = request.base.hasLibrary(name) ? undefined : inRunpath(name, runpath, request);
        if (own === undefined) note(libraries, name, path);
        else note(found.paths, own, path);
      }
    }
  }
  return libraries;
}

/** What the app's files ask of the libraries that the base is to have: as far as the base that they were built on had it. */
function versionsOf(found: Collected, libraries: ReadonlySet<string>, base: NeedsRequest['base']): Needs['versions'] {
  const versions = new Map<string, string[]>();
  for (const [library, version] of found.elves.flatMap(([, { versionsNeeded }]) => versionsNeeded)) {
    if (!libraries.has(library) || !base.hasVersion(library, version)) continue;
    versions.set(library, [...(versions.get(library) ?? []), version]);
  }
  return Object.fromEntries([...versions].map(([library, asked]) => [library, sorted(asked)]));
}

function inRunpath(name: string, runpath: readonly string[], { at, base }: NeedsRequest): string | undefined {
  return runpath
    .filter((directory) => directory.startsWith('/') && !isIn(at, directory))
    .map((directory) => posix.resolve(directory, name))
    .find((path) => base.hasPath(path));
}

function isIn(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function note(map: Map<string, string>, key: string, user: string): void {
  if (!map.has(key)) map.set(key, user);
}

function keysWith(map: ReadonlyMap<string, unknown>, test: (key: string) => boolean): readonly string[] {
  return [...map.keys()].filter((key) => test(key));
}

function others(map: ReadonlyMap<string, unknown>, known: readonly string[]): readonly string[] {
  const set = new Set(known);
  return sorted(keysWith(map, (key) => !set.has(key)));
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

import type { BlobReader } from '../blobs/store.js';
import { DEFAULT_PATH } from '../buildpack/build-env.js';
import type { Cache } from '../cache/cache.js';
import { knownInventory, readInventory, resolveIn } from '../layers/inventory.js';
import type { Inventory } from '../layers/merge.js';
import { packageReaderOf } from '../layers/package-database.js';
import { type Image, layersOf } from '../oci/image.js';
import type { Packages } from '../oci/package-delta.js';
import type { Provides } from '../oci/rebase-checks.js';
import { step } from '../values/events.js';
import { attachedFiles, type TrustedPlace } from './attached-files.js';
import type { Tools } from './tools.js';

/** What a base has. */
export interface BaseFiles extends Provides {
  readonly inventory: Inventory;
  /** Whether a program of this name lies on the PATH that the base gives to processes. */
  hasProgram(name: string): boolean;
  /** What its package databases list; undefined where it has none that we can read. */
  readonly packages: Packages | undefined;
}

/**
 * What a base has, from a list of its files that is made once per base. No layer is unpacked. With `attachedAt`, the place of
 * a base whose repository is trusted, a list that is attached to it there is taken before its layers are read. It is not
 * kept: who does not trust it must not come upon it.
 */
export async function providesOf(
  image: Image,
  blobs: BlobReader,
  cache: Cache,
  tools: Tools,
  attachedAt?: TrustedPlace,
): Promise<BaseFiles> {
  const use = (name: string) => cache.use('inventories', name);
  const request = { directory: cache.inventories, use, layers: layersOf(image), blobs, signal: tools.signal };
  const find = async () => {
    if (attachedAt === undefined) return readInventory(request);
    const known = await knownInventory(request);
    return known ?? (await attachedFiles(attachedAt, image, tools)) ?? readInventory(request);
  };
  return baseFiles(await step(tools.on, 'base', 'files', find), image);
}

/** What a list of files says of a base, whose environment is the image's. It is found out once for a list in memory. */
export function baseFiles(inventory: Inventory, image: Image): BaseFiles {
  const path = settingOf(image, 'PATH') || DEFAULT_PATH;
  const libraries = settingOf(image, 'LD_LIBRARY_PATH');
  const ofList = known.get(inventory) ?? new Map<string, BaseFiles>();
  const key = JSON.stringify([path, libraries]);
  const files = ofList.get(key) ?? {
    inventory,
    ...providesIn(inventory, directoriesOf(libraries)),
    hasProgram: (name) => directoriesOf(path).some((directory) => isProgram(inventory, `${directory}/${name}`)),
    packages: packagesIn(inventory),
  };
  known.set(inventory, ofList.set(key, files));
  return files;
}

const known = new WeakMap<Inventory, Map<string, BaseFiles>>();

function packagesIn(inventory: Inventory): Packages | undefined {
  const lists = [...inventory.keys()].flatMap((path) => {
    const packages = packageReaderOf(path) && inventory.get(path)?.facts?.packages;
    return packages === undefined ? [] : [packages];
  });
  return lists.length === 0 ? undefined : Object.assign({}, ...lists);
}

/** Looks things up in a list of files. `searchPath` has more directories with libraries: absolute paths. */
export function providesIn(inventory: Inventory, searchPath: readonly string[] = []): Provides {
  let libraries: ReadonlyMap<string, readonly string[]> | undefined;
  const filesOf = (soname: string) => {
    // To look through thousands of paths takes longer than all else, and of an old base nobody may ask.
    libraries ??= librariesIn(inventory, searchPath);
    return (libraries.get(soname) ?? []).flatMap((path) => {
      const entry = resolveIn(inventory, path)?.entry;
      return entry?.type === 'file' ? [entry] : [];
    });
  };
  return {
    hasPath: (path) => resolveIn(inventory, path) !== undefined,
    hasLibrary: (soname) => filesOf(soname).length > 0,
    hasVersion: (soname, version) => filesOf(soname).some(({ facts }) => facts?.versions?.includes(version) ?? true),
  };
}

/** Where the dynamic loader of Debian and its kin looks by itself: also in a directory per architecture. */
const DIRECTORY = /^(usr\/(local\/)?)?lib(64|32|x32)?(\/[a-z0-9_]+-linux-(gnu|musl)[a-z0-9]*)?$/;

/** Settings of the loader that name no further directories, or none that matters. */
const USUAL_SETTINGS = /^etc\/ld\.so\.conf\.d\/(libc|fake(ch)?root-.*|zz_.*|[a-z0-9_]+-linux-gnu[a-z0-9]*)\.conf$/;
const ANY_SETTINGS = /^etc\/(ld\.so\.conf\.d\/[^/]+\.conf|ld-musl-[^/]+\.path)$/;

/**
 * Names of libraries with the paths of each. A list of files does not say what the loader's settings are: where a base has
 * unusual ones, a library counts wherever it lies, since a false alarm would be worse.
 */
function librariesIn(inventory: Inventory, searchPath: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const more = new Set(searchPath.map((directory) => resolveIn(inventory, directory)?.path));
  const paths = [...inventory.keys()];
  const anywhere = paths.some(
    (path) => path.startsWith('etc/') && ANY_SETTINGS.test(path) && !USUAL_SETTINGS.test(path),
  );
  const libraries = new Map<string, string[]>();
  for (const path of paths) {
    if (!path.includes('.so')) continue;
    const slash = path.lastIndexOf('/');
    const [directory, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
    if (!name.includes('.so') || !(anywhere || DIRECTORY.test(directory) || more.has(directory))) continue;
    const known = libraries.get(name);
    if (known === undefined) libraries.set(name, [path]);
    else known.push(path);
  }
  return libraries;
}

function isProgram(inventory: Inventory, path: string): boolean {
  const entry = resolveIn(inventory, path)?.entry;
  return entry?.type === 'file' && (entry.mode & 0o111) !== 0;
}

/** The value of a variable that the base gives to processes. */
function settingOf(image: Image, name: string): string {
  const setting = image.config.value.config?.Env?.find((line) => line.startsWith(`${name}=`));
  return setting?.slice(name.length + 1) ?? '';
}

function directoriesOf(list: string): readonly string[] {
  return list.split(':').filter((directory) => directory.startsWith('/'));
}

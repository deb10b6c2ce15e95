import type { Content, TarEntry } from '../archive/tar-entry.js';
import { compareNames, writeTar } from '../archive/tar-write.js';
import { type Indexed, indexTar, withSlices } from './tar-index.js';

/**
 * The tar of a base layer made from a tar file as a packaging tool writes it: sorted, with one time, no user names, no
 * extended attributes, and nothing that depends on the order or the form of the original. Owners, modes (setuid too) and
 * hard links stay; of several names of a file the first one has the bytes.
 */
export async function* normalisedTar(file: string): AsyncGenerator<Uint8Array> {
  const index = await indexTar(file);
  const paths = [...index.keys()].sort(compareNames);
  yield* emit(
    file,
    paths.map((path) => index.get(path) as Indexed),
  );
}

/**
 * The tar of the layer that turns what one tar file holds into what another holds: what is new or different, deletions
 * before the rest of their directory, and the directories that lead there. Bytes, types, modes, owners and link targets
 * count; times do not.
 */
export async function* differenceTar(lowerFile: string, upperFile: string): AsyncGenerator<Uint8Array> {
  const [lower, upper] = [await indexTar(lowerFile), await indexTar(upperFile)];
  const changed = [...upper].filter(([path, at]) => !isSame(lower.get(path), at)).map(([path]) => path);
  const deleted = [...lower.keys()].filter((path) => !upper.has(path) && isDirectory(upper, parentOf(path)));
  const paths = new Set([...changed, ...[...changed, ...deleted].flatMap(ancestorsOf)]);
  const parts = [...[...paths].map((path) => upper.get(path)), ...deleted.map(deletionOf)];
  yield* emit(upperFile, parts.filter((part) => part !== undefined).sort(deletionsFirst));
}

async function* emit(file: string, parts: readonly Indexed[]): AsyncGenerator<Uint8Array> {
  yield* withSlices(file, (slice) => writeTar(entriesOf(parts, slice)));
}

function* entriesOf(
  parts: readonly Indexed[],
  slice: (at: Indexed) => AsyncIterable<Uint8Array>,
): Generator<readonly [TarEntry, Content?]> {
  const owners = new Map<number, string>();
  for (const part of parts) {
    const { entry, offset } = part;
    const owner = entry.type === 'file' ? owners.get(offset) : undefined;
    if (owner !== undefined) yield [{ ...entry, type: 'link', size: 0, linkName: owner }];
    else if (entry.type === 'file' && offset !== NOWHERE) {
      owners.set(offset, entry.path);
      yield [entry, slice(part)];
    } else yield [entry];
  }
}

/** The place of what has no bytes in the file. */
const NOWHERE = -1;

function deletionOf(path: string): Indexed {
  const parent = parentOf(path);
  const name = `.wh.${path.slice(parent === '' ? 0 : parent.length + 1)}`;
  const deletion: TarEntry = {
    path: parent === '' ? name : `${parent}/${name}`,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
  };
  return { entry: deletion, offset: NOWHERE, hash: '' };
}

function isSame(a: Indexed | undefined, b: Indexed): boolean {
  return a !== undefined && fingerprint(a) === fingerprint(b);
}

function fingerprint({ entry, hash }: Indexed): string {
  const { type, mode, uid, gid, linkName, devMajor, devMinor } = entry;
  return JSON.stringify([type, mode, uid, gid, linkName, devMajor, devMinor, hash]);
}

function isDirectory(index: ReadonlyMap<string, Indexed>, path: string): boolean {
  return path === '' || index.get(path)?.entry.type === 'directory';
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function ancestorsOf(path: string): string[] {
  const parent = parentOf(path);
  return parent === '' ? [] : [parent, ...ancestorsOf(parent)];
}

/** Name by name; in one directory, deletions come before all else. */
function deletionsFirst(a: Indexed, b: Indexed): number {
  const [x, y] = [a.entry.path.split('/'), b.entry.path.split('/')];
  const at = x.findIndex((part, n) => part !== y[n]);
  if (at === -1 || at === y.length) return x.length - y.length;
  const [left, right] = [x[at] ?? '', y[at] ?? ''];
  const byKind =
    Number(b.offset === NOWHERE && y.length === at + 1) - Number(a.offset === NOWHERE && x.length === at + 1);
  return byKind === 0 ? compareNames(left, right) : byKind;
}

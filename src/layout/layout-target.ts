import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { copyImage } from '../blobs/copy-image.js';
import { directoryStore } from '../blobs/directory-store.js';
import type { ImageTarget, Replacing } from '../blobs/images.js';
import type { BlobReader } from '../blobs/store.js';
import { digestOfWhole, piecesOf, type Whole } from '../oci/image-index.js';
import { exists } from '../system/exists.js';
import { withLock } from '../system/lock.js';
import { withParents } from '../system/parents.js';
import { syncDirectory, writeStaged } from '../system/staged.js';
import { sweepStale, withTempDir } from '../system/tempdir.js';
import { type Digest, hexOf } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import { type Json, systemCode } from '../values/error.js';
import { formatPlace } from '../values/place.js';
import { checkWritable } from './check-target.js';
import { orFull } from './full-target.js';
import { indexOfOne, LAYOUT_VERSION, type LayoutPlace, readLayoutIndex, withEntry } from './layout-index.js';
import { refuseTagInPath } from './tag-in-path.js';

/**
 * An OCI image layout as a target. A new layout appears whole or not at all; in one that exists, blobs come first and
 * `index.json` is replaced last, under a lock. What a failed write has added is taken away again. With `replacing`, a tag is
 * moved only as long as it stands for that (`LAYOUT_TAG_MOVED`).
 */
export function layoutTarget(place: LayoutPlace, replacing?: Replacing): ImageTarget {
  return {
    check: async () => {
      const path = resolve(place.path);
      const isThere = await isFilled(path);
      if (isThere) await readLayoutIndex(place);
      else await refuseTagInPath(place);
      await checkWritable(isThere ? path : dirname(path));
    },
    put: async (whole, blobs, signal) => {
      const path = resolve(place.path);
      const copy = { place, path, whole, blobs, signal };
      await sweepStale(dirname(path));
      await orFull(place, path, async () => {
        const isMade = !(await isFilled(path)) && (await create(copy));
        if (!isMade) await addTo(copy, replacing);
      });
      return `${formatPlace({ kind: 'oci', path: place.path })}@${digestOfWhole(whole)}`;
    },
    lacks: async (wanted) => {
      const store = directoryStore(join(resolve(place.path), 'blobs'));
      const has = await Promise.all(wanted.map(({ digest }) => store.has(digest)));
      return wanted.filter((_, at) => !has[at]).map((descriptor) => ({ descriptor, way: 'sent' }));
    },
  };
}

/** What goes where. */
interface Copy {
  readonly place: LayoutPlace;
  /** The layout's directory, absolute. */
  readonly path: string;
  readonly whole: Whole;
  readonly blobs: BlobReader;
  readonly signal: AbortSignal | undefined;
}

/** Makes the layout. False when somebody else has made it meanwhile. */
async function create(copy: Copy): Promise<boolean> {
  const { path } = copy;
  return withParents(path, () =>
    withTempDir(`${basename(path)}.partial`, dirname(path), async (staging) => {
      const layout = join(staging, 'layout');
      await mkdir(layout);
      await writeLayout({ ...copy, path: layout });
      const isFirst = await rename(layout, path).then(
        () => true,
        (error: unknown) => {
          if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false;
          throw error;
        },
      );
      if (isFirst) await syncDirectory(dirname(path));
      return isFirst;
    }),
  );
}

async function writeLayout({ place, path, whole, blobs, signal }: Copy): Promise<void> {
  await copyImage(whole, blobs, directoryStore(join(path, 'blobs')), signal);
  await writeStaged(join(path, 'oci-layout'), canonicalJson({ imageLayoutVersion: LAYOUT_VERSION }));
  await writeStaged(join(path, 'index.json'), canonicalJson(indexOfOne(whole, place.tag) as unknown as Json));
}

async function addTo({ place, path, whole, blobs, signal }: Copy, replacing: Replacing | undefined): Promise<void> {
  // Not even a lock is put into a directory that is no layout.
  await readLayoutIndex(place);
  await withLock(join(path, 'index.json'), { signal }, async () => {
    for (const directory of [path, join(path, 'blobs/sha256')]) await sweepStale(directory);
    const own = directoryStore(join(path, 'blobs'));
    const before = await present(whole, own);
    try {
      await copyImage(whole, blobs, own, signal);
      const index = withEntry(await readLayoutIndex(place), whole, place.tag, replacing);
      await writeStaged(join(path, 'index.json'), canonicalJson(index as unknown as Json));
    } catch (error) {
      await removeAdded(path, whole, before).catch(() => undefined);
      throw error;
    }
  });
}

/** An empty directory counts as none: a new layout may take its place. */
async function isFilled(path: string): Promise<boolean> {
  if (!(await exists(path))) return false;
  const names = await readdir(path).catch(() => ['not a directory']);
  return names.length > 0;
}

async function present(whole: Whole, blobs: BlobReader): Promise<ReadonlySet<string>> {
  const all = digestsOf(whole);
  const has = await Promise.all(all.map((digest) => blobs.has(digest)));
  return new Set(all.filter((_, at) => has[at]));
}

async function removeAdded(path: string, whole: Whole, before: ReadonlySet<string>): Promise<void> {
  for (const digest of digestsOf(whole)) {
    if (!before.has(digest)) await rm(join(path, 'blobs', 'sha256', hexOf(digest)), { force: true });
  }
}

function digestsOf(whole: Whole): readonly Digest[] {
  const { blobs, configs, manifests } = piecesOf(whole);
  return [...blobs, ...[...configs, ...manifests].map(({ descriptor }) => descriptor)].map(({ digest }) => digest);
}

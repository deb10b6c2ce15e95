import { blobsIn } from './cache/cache.js';
import { digestOfWhole } from './oci/image-index.js';
import { inCache } from './steps/in-cache.js';
import { openSource } from './steps/open-place.js';
import { putImage } from './steps/put-image.js';
import { readPlace } from './steps/read-place.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import type { Digest } from './values/digest.js';
import { fail, isFailure } from './values/error.js';
import { formatPlace, type Place, withTag } from './values/place.js';
import { previousTag } from './values/previous-tag.js';

/** Which image to put back. */
export interface UndoRequest {
  /** Its place, with the tag that was moved. */
  readonly image: string;
  /** Look at everything and write nothing. */
  readonly planOnly?: boolean | undefined;
  readonly cacheDir: string;
}

/** What an undo did, or with `planOnly` would do. */
export interface UndoResult {
  /** Of what is there again. */
  readonly digest: Digest;
  /** Of what was there until now. */
  readonly previous: Digest;
  readonly references: readonly string[];
}

/**
 * Puts back what a tag stood for before the last rebase that made it stand for what it does now: an image or an index, byte
 * for byte. The rebase has kept it under a tag of its own. Nothing is written unless all of it is still there, and unless
 * the tag stands still.
 *
 * Throws `REBASE_NO_PREVIOUS` where no rebase is known that led to the present digest, also when somebody has moved the tag
 * since; `REBASE_PREVIOUS_LOST` where what was there is no longer whole; `PLACE_UNSUPPORTED` for archives, which keep nothing;
 * `REGISTRY_TAG_MOVED` and `LAYOUT_TAG_MOVED`, and what reading and writing throw.
 */
export async function undoRebase(request: UndoRequest, givenTools: GivenTools): Promise<UndoResult> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const place = await readPlace(request.image);
    requireMemory(place);
    const store = blobsIn(cache);
    const { digest: previous, tag } = await openSource(place, store, tools, { isMoved: true }).root();
    if (tag === undefined) throw noTag(place);
    const at = { place: withTag(place, tag), present: previous, kept: withTag(place, previousTag(tag, previous)) };
    const kept = await orLost(at, () => openSource(at.kept, store, tools, { isMoved: true }).findWhole());
    const digest = digestOfWhole(kept.whole);
    if (request.planOnly) return { digest, previous, references: [] };
    const put = () => putImage(kept.whole, kept.blobs, [at.place], tools, { replacing: { expected: previous } });
    return { digest, previous, references: await orLost(at, put) };
  });
}

/** Where what is to be put back should be. */
interface Kept {
  readonly place: Place;
  readonly present: Digest;
  readonly kept: Place;
}

async function orLost<T>({ place, present, kept }: Kept, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const facts = { details: { present, kept: formatPlace(kept) }, cause: error };
    if (isFailure(error, 'IMAGE_NOT_FOUND')) {
      throw fail('REBASE_NO_PREVIOUS', {
        what: `there is nothing to undo: no rebase is known that led ${formatPlace(place)} to where it is now`,
        why: `it is ${present}, and there is no ${formatPlace(kept)}`,
        fix: `if you know the old base, go back to it: pack-build rebase ${formatPlace(place)} --base REF --allow-downgrade`,
        ...facts,
      });
    }
    if (!isFailure(error, 'BLOB_NOT_FOUND', 'DIGEST_MISMATCH', 'IMAGE_INVALID')) throw error;
    throw fail('REBASE_PREVIOUS_LOST', {
      what: `what ${formatPlace(place)} was before the rebase is no longer whole`,
      why: [error.message, error.why].filter(Boolean).join('\n'),
      fix: `go back to the old base: pack-build rebase ${formatPlace(place)} --base REF --allow-downgrade`,
      ...facts,
    });
  }
}

/** An archive is replaced as a file, and holds nothing of what it was. */
function requireMemory(place: Place): void {
  if (place.kind !== 'oci-archive' && place.kind !== 'docker-archive') return;
  throw fail('PLACE_UNSUPPORTED', {
    what: `${formatPlace(place)} does not keep what it was before a rebase`,
    why: 'an archive is one file, which a rebase replaces',
    fix: `go back to the old base: pack-build rebase ${formatPlace(place)} --base REF --allow-downgrade`,
  });
}

function noTag(place: Place) {
  return fail('PLACE_UNSUPPORTED', {
    what: `${formatPlace(place)} has no tag that could be put back`,
    fix: 'name the image by the tag that was moved',
  });
}

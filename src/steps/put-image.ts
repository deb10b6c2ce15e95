import type { PutOptions } from '../blobs/images.js';
import type { BlobReader } from '../blobs/store.js';
import { indexIn } from '../layout/archive-target.js';
import { isImageIndex, type Whole } from '../oci/image-index.js';
import { fail, isFailure } from '../values/error.js';
import { step } from '../values/events.js';
import { defined } from '../values/json.js';
import { formatPlace, type Place } from '../values/place.js';
import { explained } from './explain.js';
import { openTarget } from './open-place.js';
import { readPlace } from './read-place.js';
import type { Tools } from './tools.js';

/**
 * Reads the places that an image is to go to and looks whether they can be written to, before any work is done for it.
 * Throws `REFERENCE_INVALID`, `PLACE_UNSUPPORTED`, `LAYOUT_INVALID`, `STORE_FAILED`.
 */
export async function parseTargets(
  texts: readonly string[],
  tools: Pick<Tools, 'registries'>,
  whole?: Whole,
): Promise<readonly Place[]> {
  const places = await Promise.all(texts.map(readPlace));
  for (const place of places)
    if (whole !== undefined && isImageIndex(whole) && place.kind === 'docker-archive') throw indexIn(place);
  for (const target of places.map((place) => openTarget(place, tools))) await target.check();
  return places;
}

/** What became of one of several places. `unknown`: it was being written, and nobody can tell how far that came. */
type Outcome =
  | { readonly place: string; readonly state: 'done'; readonly reference: string }
  | { readonly place: string; readonly state: 'failed' | 'unknown'; readonly error: Error }
  | { readonly place: string; readonly state: 'untried' };

/**
 * Writes an image, or an index with its images, to each place, one after the other. Returns the references. One place that fails does not keep it from the others: then the first error is
 * thrown, and tells of each place whether it is done. What is done is not done again by the same command.
 */
export async function putImage(
  whole: Whole,
  blobs: BlobReader,
  places: readonly Place[],
  tools: Pick<Tools, 'on' | 'signal' | 'registries'>,
  how?: PutOptions,
): Promise<readonly string[]> {
  const outcomes: Outcome[] = [];
  for (const target of places) {
    const place = formatPlace(target);
    const put = () =>
      step(tools.on, 'write', place, () => openTarget(target, tools, how).put(whole, blobs, tools.signal));
    outcomes.push(tools.signal?.aborted ? { place, state: 'untried' } : await outcomeOf(place, put, tools.signal));
  }
  const failed = outcomes.find((outcome) => 'error' in outcome);
  if (failed !== undefined) throw withOutcomes(failed.error, outcomes);
  return outcomes.flatMap((outcome) => (outcome.state === 'done' ? [outcome.reference] : []));
}

async function outcomeOf(place: string, put: () => Promise<string>, signal: AbortSignal | undefined): Promise<Outcome> {
  try {
    return { place, state: 'done', reference: await explained(signal, put) };
  } catch (error) {
    if (!isFailure(error)) throw error;
    const isUnknown = error.code === 'INTERRUPTED' || error.details['outcome'] === 'unknown';
    return { place, state: isUnknown ? 'unknown' : 'failed', error };
  }
}

function withOutcomes(error: Error, outcomes: readonly Outcome[]): Error {
  if (!isFailure(error) || outcomes.length === 1) return error;
  const { code, message: what, why, fix, details, cause } = error;
  const places = outcomes.map(toldOf);
  const lines = places.map(({ state, place, reference }) => `${state}: ${reference ?? place}`);
  return fail(code, {
    what,
    why: [why, ...lines].filter(Boolean).join('\n'),
    fix,
    details: { ...details, places },
    cause,
  });
}

function toldOf({ place, state, ...more }: Outcome) {
  const error = 'error' in more && isFailure(more.error) ? more.error : undefined;
  const reference = 'reference' in more ? more.reference : undefined;
  return defined({ place, state, reference, code: error?.code, message: error?.message });
}

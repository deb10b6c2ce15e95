import { blobsIn, type Cache } from '../cache/cache.js';
import { isPassing, isPassingFailure } from '../http/retry.js';
import type { Below } from '../oci/foreign.js';
import { type BaseHint, baseHintsOf, layersBelow, layersByLabel } from '../oci/foreign-seam.js';
import { type Image, platformOf } from '../oci/image.js';
import { RECORD_LABEL } from '../oci/record.js';
import { type ErrorCode, fail, isFailure, type PackBuildError } from '../values/error.js';
import { type Place, parsePlace, withDigest } from '../values/place.js';
import type { Platform } from '../values/platform.js';
import { openSource } from './open-place.js';
import { resolveBase } from './resolve-base.js';
import type { Tools } from './tools.js';

export interface ApartRequest {
  /** Where the image was found. */
  readonly place: Place;
  /** The place of the base that an image of others was built on. Images of ours say it themselves. */
  readonly oldBase?: string | undefined;
}

/** The base below an image, and what it is called. */
export interface NamedBelow {
  readonly below: Below;
  readonly name: string | undefined;
}

/**
 * Finds the base below an image by what others wrote down of it, or by `oldBase`, and proves it on the layers. Hints that are
 * untrue are passed over: whoever moved the image may have brought only one of them up to date. A registry that does not answer
 * today is not passed over: without the old base the settings of the result would be others. Of `layers`, where that is
 * known, no other number is taken. Throws `REBASE_NOT_OURS` without any hint, `REBASE_SEAM_BROKEN` where none is true or two
 * contradict each other, `REBASE_OLD_BASE_LOST`, and what reading throws.
 */
export async function baseBelow(
  image: Image,
  request: ApartRequest,
  cache: Cache,
  tools: Tools,
  layers?: number,
): Promise<NamedBelow> {
  const { oldBase } = request;
  const platform = platformOf(image);
  if (oldBase !== undefined) {
    const options = { platform, store: blobsIn(cache), on: tools.on, registries: tools.registries };
    const { base } = await resolveBase(oldBase, options);
    const layers = proving(`${oldBase} is not the base that the image was built on`, () =>
      layersBelow(image, base.image),
    );
    return { below: { layers, image: base.image }, name: base.name };
  }
  const hints = baseHintsOf(image);
  const proved: (NamedBelow & { readonly hint: BaseHint })[] = [];
  const untrue: PackBuildError[] = [];
  const answers: string[] = [];
  for (const hint of distinct(hints)) {
    try {
      const found = await findHinted(hint, request.place, platform, cache, tools);
      answers.push(...found.answers);
      const below = proving(untruthOf(hint), () => prove(hint, image, found.image));
      const isRight = layers === undefined || below?.layers === layers;
      if (below !== undefined && isRight) proved.push({ below, name: hint.name, hint });
    } catch (error) {
      if (!isFailure(error, 'REBASE_SEAM_BROKEN')) throw error;
      untrue.push(error);
    }
  }
  const [found, other] = proved;
  if (found === undefined) throw untrue[0] ?? (hints[0] === undefined ? notOurs() : lost(hints[0], answers));
  if (other !== undefined && other.below.layers !== found.below.layers) throw contradicting(found.below, other.below);
  if (found.below.image === undefined && layers === undefined) tellLost(found.hint, answers, tools);
  return found;
}

/** Says of a proof that fails whose word it was. */
function proving<T>(what: string, prove: () => T): T {
  try {
    return prove();
  } catch (error) {
    if (!isFailure(error, 'REBASE_SEAM_BROKEN')) throw error;
    const { code, why, fix, details } = error;
    throw fail(code, { what, why, fix, details, cause: error });
  }
}

function untruthOf({ by, name, digest }: BaseHint): string {
  const who = by === 'cnb' ? 'the label of CNB says' : "the image's annotations say";
  return `${who} that it stands on ${[name, digest].filter(Boolean).join(' ')}, and it does not`;
}

/** Two hints at one digest are one. */
function distinct(hints: readonly BaseHint[]): readonly BaseHint[] {
  const isRepeated = ({ digest }: BaseHint, at: number) =>
    digest !== undefined && hints.slice(0, at).some((hint) => hint.digest === digest);
  return hints.filter((hint, at) => !isRepeated(hint, at));
}

/** Undefined where the hint leads to nothing that could be compared. */
function prove(hint: BaseHint, image: Image, old: Image | undefined): Below | undefined {
  if (old !== undefined) return { layers: layersBelow(image, old), image: old };
  const layers = hint.by === 'cnb' ? layersByLabel(image) : undefined;
  return layers === undefined ? undefined : { layers };
}

function tellLost({ name, digest }: BaseHint, answers: readonly string[], { on }: Tools): void {
  const asked = answers.length === 0 ? '' : `: ${answers.join('; ')}`;
  on({
    type: 'notice',
    code: 'OLD_BASE_LOST',
    message: `the base that the image was built on is not to be had (${name ?? digest ?? 'it has no name'})${asked}. Which settings were its own is not known, so all stay as they are. Name it with --old-base REF if you have it`,
  });
}

/** Of ours, or of what must not be. */
const STOPPING: ReadonlySet<ErrorCode> = new Set(['INTERRUPTED', 'DISK_FULL', 'DIGEST_MISMATCH']);

/**
 * By its digest, beside the image itself or where its name says. One that is not to be had is no error here: then there is
 * what was answered instead.
 */
async function findHinted(
  hint: BaseHint,
  place: Place,
  platform: Platform,
  cache: Cache,
  tools: Tools,
): Promise<{ readonly image?: Image; readonly answers: readonly string[] }> {
  if (hint.digest === undefined) return { answers: [] };
  const named = hint.name === undefined || tools.registries === undefined ? [] : [parsePlace(`docker://${hint.name}`)];
  const answers: string[] = [];
  for (const candidate of [place, ...named]) {
    if (candidate.kind === 'docker-archive' || candidate.kind === 'oci-archive') continue;
    const isHint = candidate !== place;
    const source = openSource(withDigest(candidate, hint.digest), blobsIn(cache), tools, { isHint });
    try {
      return { image: (await source.find(platform)).image, answers };
    } catch (error) {
      if (!isFailure(error) || STOPPING.has(error.code)) throw error;
      if (mayPass(error)) throw unanswered(error);
      answers.push(error.message);
    }
  }
  return { answers };
}

/** True where the same question may be answered in another way tomorrow. */
function mayPass(error: PackBuildError): boolean {
  const status = Number(error.details['status'] ?? 0);
  return isPassingFailure(error) || isPassing(status) || status >= 500;
}

function unanswered(error: PackBuildError) {
  const { code, message, why, details } = error;
  return fail(code, {
    what: `the base that the image was built on could not be asked for: ${message}`,
    why,
    fix: 'try again, or name a place that has it: --old-base REF',
    details,
    cause: error,
  });
}

function notOurs() {
  return fail('REBASE_NOT_OURS', {
    what: 'the image does not say what it was built on',
    why: `it has neither the label ${RECORD_LABEL} of pack-build, nor that of CNB, nor annotations org.opencontainers.image.base.*`,
    fix: 'name the base that it was built on: --old-base REF',
  });
}

function lost({ name, digest }: BaseHint, answers: readonly string[]) {
  return fail('REBASE_OLD_BASE_LOST', {
    what: 'the base that the image was built on is not to be had, so nobody can tell where it ends',
    why: [`the image says it was ${[name, digest].filter(Boolean).join(' with ')}`, ...answers].join('\n'),
    fix: 'name a place that has it: --old-base REF',
  });
}

function contradicting(one: Below, other: Below) {
  return fail('REBASE_SEAM_BROKEN', {
    what: 'the image names two bases that it could stand on',
    why: `one is its ${one.layers} lowest layers, the other its ${other.layers} lowest`,
    fix: 'name the base that it stands on: --old-base REF',
  });
}

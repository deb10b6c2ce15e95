import { type Digest, parseDigest } from '../values/digest.js';
import { fail } from '../values/error.js';
import { isReference } from '../values/place.js';
import { CNB_METADATA, parseMetadata } from './cnb-labels.js';
import { type Image, labelsOf, layersOf } from './image.js';

/** What an image that others made says of the base below it. Nothing of it is proved. */
export interface BaseHint {
  /** Where it is written. */
  readonly by: 'cnb' | 'annotations';
  /** A registry reference without a digest, if there is one. */
  readonly name?: string | undefined;
  /** Of the base's manifest or index. */
  readonly digest?: Digest | undefined;
}

/**
 * What others wrote down of the base, in the order in which it is worth trying: the label of CNB's lifecycle, the annotations
 * `org.opencontainers.image.base.*`. Whoever moved the image last may have brought only one of them up to date.
 */
export function baseHintsOf(image: Image): readonly BaseHint[] {
  const hints: BaseHint[] = [];
  const run = runImageOf(image);
  if (run !== undefined) {
    hints.push({ by: 'cnb', name: nameIn(run.image ?? run.reference), digest: digestIn(run.reference) });
  }
  const annotations = image.manifest.value.annotations ?? {};
  const name = annotations['org.opencontainers.image.base.name'];
  const digest = annotations['org.opencontainers.image.base.digest'];
  if (name === undefined && digest === undefined) return hints;
  return [...hints, { by: 'annotations', name: nameIn(name), digest: digestIn(digest) ?? digestIn(name) }];
}

/**
 * How many of the lowest layers are those of `base`, which is all of them: the image must begin with exactly these, by what
 * is in them. Throws `REBASE_SEAM_BROKEN` with the first layer that differs.
 */
export function layersBelow(image: Image, base: Image): number {
  const [found, expected] = [layersOf(image), layersOf(base)];
  for (const [at, { diffId }] of expected.entries()) {
    if (found[at]?.diffId === diffId) continue;
    throw broken(
      `layer ${at + 1} of ${expected.length} of the base is ${diffId}, the image has ${found[at]?.diffId ?? 'no layer there'}`,
    );
  }
  return expected.length;
}

/**
 * How many of the lowest layers are the base's, by the lifecycle's label alone, for when the base itself is gone: its top
 * layer must be there once, and every layer above must be one that the label lists. Undefined without the label. Throws
 * `REBASE_SEAM_BROKEN`.
 */
export function layersByLabel(image: Image): number | undefined {
  const run = runImageOf(image);
  if (run === undefined) return undefined;
  const diffIds = layersOf(image).map(({ diffId }) => diffId as string);
  const top = diffIds.indexOf(run.topLayer);
  if (top < 0) throw broken(`the label ${CNB_METADATA} names ${run.topLayer} as the base's top layer: it is not there`);
  const listed = digestsIn(run.metadata);
  const stray = diffIds.slice(top + 1).find((diffId) => !listed.has(diffId) || diffId === run.topLayer);
  if (stray !== undefined) throw broken(`the label ${CNB_METADATA} does not tell of the layer ${stray} above the base`);
  return top + 1;
}

interface RunImage {
  readonly topLayer: string;
  readonly reference?: string | undefined;
  readonly image?: string | undefined;
  readonly metadata: unknown;
}

function runImageOf(image: Image): RunImage | undefined {
  const label = labelsOf(image)[CNB_METADATA];
  if (label === undefined) return undefined;
  const metadata = parseMetadata(label);
  const { topLayer, reference, image: name } = (metadata?.runImage ?? {}) as Record<string, unknown>;
  if (typeof topLayer !== 'string') throw broken(`the label ${CNB_METADATA} names no top layer of a run image`);
  return { topLayer, reference: textOf(reference), image: textOf(name), metadata };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Without its digest. What a daemon gives is an image's id, which leads nowhere. */
function nameIn(reference: string | undefined): string | undefined {
  const name = reference?.replace(/@.*$/, '') ?? '';
  return isReference(name) && !/^([0-9a-f]{64}|sha256:.*)$/.test(name) ? name : undefined;
}

function digestIn(reference: string | undefined): Digest | undefined {
  const digest = /(?:^|@)(sha256:[0-9a-f]{64})$/.exec(reference ?? '')?.[1];
  return digest === undefined ? undefined : parseDigest(digest);
}

/** Every digest that stands anywhere in the label. */
function digestsIn(metadata: unknown): ReadonlySet<string> {
  return new Set(JSON.stringify(metadata).match(/sha256:[0-9a-f]{64}/g));
}

function broken(why: string) {
  return fail('REBASE_SEAM_BROKEN', {
    what: 'the place where the base ends and the app begins cannot be proved',
    why,
    fix: 'name the base that the image was built on: --old-base REF',
  });
}

import { documentOf } from '../values/document.js';
import { CNB_METADATA, cnbReference, parseMetadata } from './cnb-labels.js';
import type { HistoryEntry, ImageConfig, Manifest, RunConfig } from './documents.js';
import { alignHistory } from './history.js';
import { type Base, digestOfImage, type Image, type Layer, labelsOf, layersOf } from './image.js';
import { BASE_DIGEST, BASE_NAME } from './index-of.js';
import { DOCKER_MANIFEST, dockerMediaType, ociMediaType } from './media-types.js';
import { mergeSettings } from './merge-settings.js';

/** What is known of the base below an image that others made. */
export interface Below {
  /** How many of the lowest layers are the base's. Proved, not guessed. */
  readonly layers: number;
  /** The base itself, if it could be had: without it, nobody knows which settings were its own, and all stay the app's. */
  readonly image?: Image | undefined;
}

export interface MovedForeign {
  readonly image: Image;
  /** Settings that the app and the new base have both changed: the app's stayed. */
  readonly conflicts: readonly string[];
}

/** What says for which machines an image is. */
const PLATFORM = ['os', 'architecture', 'variant', 'os.version', 'os.features'] as const;

/**
 * Puts the upper layers of an image that others made on another base. Layers, platform and what the old base had set come
 * from the new base; all else stays, members that we do not know included. The manifest stays of the family it was (OCI or
 * Docker), and every descriptor is of that family. Throws `IMAGE_INVALID` for documents that disagree.
 */
export function moveForeign(image: Image, below: Below, base: Base): MovedForeign {
  const isDocker = image.manifest.descriptor.mediaType === DOCKER_MANIFEST;
  const typed = isDocker ? dockerMediaType : ociMediaType;
  const layers = [...layersOf(base.image), ...layersOf(image).slice(below.layers)].map((layer) =>
    retyped(layer, typed),
  );
  const { run, conflicts } = settingsOf(image, below, base);
  const config = documentOf(configOf(image, below, base, layers, run), image.config.descriptor.mediaType);
  const { mediaType } = image.manifest.descriptor;
  const { annotations: _, ...mine } = image.manifest.value;
  const manifest: Manifest = {
    ...mine,
    mediaType,
    config: { ...mine.config, ...config.descriptor },
    layers: layers.map(({ descriptor }) => descriptor),
    ...(isDocker ? {} : { annotations: annotationsOf(image, base) }),
  };
  return { image: { manifest: documentOf(manifest, mediaType), config }, conflicts };
}

function retyped({ descriptor, diffId }: Layer, typed: (mediaType: string) => string): Layer {
  return { diffId, descriptor: { ...descriptor, mediaType: typed(descriptor.mediaType) } };
}

function settingsOf(image: Image, below: Below, base: Base): { run: RunConfig; conflicts: readonly string[] } {
  const [app, next] = [image.config.value.config ?? {}, base.image.config.value.config ?? {}];
  const old = below.image?.config.value.config;
  const { run, conflicts } = old === undefined ? { run: app, conflicts: [] } : mergeSettings(old, app, next);
  const metadata = labelsOf(image)[CNB_METADATA];
  if (metadata === undefined) return { run, conflicts };
  return { run: { ...run, Labels: { ...run.Labels, [CNB_METADATA]: withRunImage(metadata, base) } }, conflicts };
}

/**
 * The lifecycle's label, now telling of the new base, so that its own tools can go on from there. What is no such label is
 * left as it is.
 */
function withRunImage(metadata: string, base: Base): string {
  const told = parseMetadata(metadata);
  if (told === undefined) return metadata;
  const topLayer = layersOf(base.image).at(-1)?.diffId;
  return JSON.stringify({
    ...told,
    runImage: { ...(told.runImage as object), topLayer, reference: cnbReference(base) },
  });
}

function configOf(image: Image, below: Below, base: Base, layers: readonly Layer[], run: RunConfig): ImageConfig {
  const [mine, its] = [image.config.value, base.image.config.value];
  const own = Object.entries(mine).filter(([name]) => !(PLATFORM as readonly string[]).includes(name));
  const platform = PLATFORM.flatMap((name) => (its[name] === undefined ? [] : [[name, its[name]] as const]));
  const inBase = layersOf(base.image).length;
  return {
    ...(Object.fromEntries(own) as unknown as ImageConfig),
    ...Object.fromEntries(platform),
    ...(Object.keys(run).length === 0 && mine.config === undefined ? {} : { config: run }),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: [
      ...alignHistory(its.history ?? [], inBase),
      ...alignHistory(above(mine.history ?? [], below), layers.length - inBase),
    ],
  };
}

/** The entries of the upper layers: those after as many that made a layer as the base has, or after the base's own entries. */
function above(history: readonly HistoryEntry[], { layers, image }: Below): readonly HistoryEntry[] {
  const own = image === undefined ? [] : alignHistory(image.config.value.history ?? [], layers);
  const begins = own.length > 0 && own.every((entry, at) => JSON.stringify(entry) === JSON.stringify(history[at]));
  if (begins) return history.slice(own.length);
  let seen = 0;
  return history.filter((entry) => {
    if (entry.empty_layer !== true) seen += 1;
    return seen > layers;
  });
}

function annotationsOf(image: Image, base: Base): Readonly<Record<string, string>> {
  const { [BASE_NAME]: _name, [BASE_DIGEST]: _digest, ...others } = image.manifest.value.annotations ?? {};
  return {
    ...others,
    ...(base.name === undefined ? {} : { [BASE_NAME]: base.name }),
    [BASE_DIGEST]: digestOfImage(base.image),
  };
}

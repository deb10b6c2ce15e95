import type { Descriptor } from '../values/descriptor.js';
import { documentOf } from '../values/document.js';
import { defined } from '../values/json.js';
import type { App } from './app.js';
import { CNB_METADATA, cnbLabelsOf, cnbSeamOf } from './cnb-labels.js';
import type { HistoryEntry, ImageConfig, Manifest, RunConfig } from './documents.js';
import { overlayEnv } from './env.js';
import { alignHistory } from './history.js';
import { type Base, digestOfImage, type Image, type Layer, labelsOf, layersOf } from './image.js';
import { OCI_CONFIG, OCI_MANIFEST, ociMediaType } from './media-types.js';
import { formatRecord, RECORD_LABEL, recordAnnotation } from './record.js';
import { digestOfSettings } from './settings.js';

/** An image, and what there is to say of how it came about. */
export interface Assembled {
  readonly image: Image;
  /** Names of environment variables that the app sets over another value of the base. */
  readonly envCollisions: readonly string[];
}

const OCI_LABELS = 'org.opencontainers.image.';

/**
 * Lays an app over a base: the one way in which an image of ours comes into being, at a build and at a rebase.
 *
 * Pure: the same base and app give the same bytes, anywhere and at any time. What is the base's comes from the base (layers,
 * platform, environment, labels, fields we do not know); what is the app's comes from the app. The result is OCI whatever
 * the base was; its layers are named by OCI media types, their bytes are the same. Throws `IMAGE_INVALID` for a base whose
 * documents disagree.
 */
export function assemble(base: Base, app: App): Assembled {
  const baseLayers = layersOf(base.image).map(asOci);
  const overlaid = overlayEnv(base.image.config.value.config?.Env ?? [], app.env);
  const run = runConfigOf(base.image, app, overlaid.env);
  const settings = digestOfSettings(run);
  const record = formatRecord({ base: seamOf(base, baseLayers), app, settings });
  const layers = [...baseLayers, ...app.layers];
  const config = documentOf(
    configOf(base.image, app, layers, withSeam(run, { ...cnbSeamOf(base, app), [RECORD_LABEL]: record })),
    OCI_CONFIG,
  );
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
    annotations: annotationsOf(base, app, record),
  };
  return { image: { manifest: documentOf(manifest, OCI_MANIFEST), config }, envCollisions: overlaid.collisions };
}

function configOf(base: Image, app: App, layers: readonly Layer[], run: RunConfig): ImageConfig {
  const { created: _, ...fromBase } = base.config.value;
  return {
    ...fromBase,
    created: app.created,
    config: run,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: [...alignHistory(fromBase.history ?? [], layersOf(base).length), ...historyOf(app)],
  };
}

function runConfigOf(base: Image, app: App, env: readonly string[]): RunConfig {
  const { Cmd: _cmd, Entrypoint: _entrypoint, ...fromBase } = base.config.value.config ?? {};
  return {
    ...fromBase,
    Env: env,
    Entrypoint: app.entrypoint,
    ...(app.cmd.length === 0 ? {} : { Cmd: app.cmd }),
    User: app.user,
    WorkingDir: app.workingDir,
    StopSignal: app.stopSignal,
    Labels: { ...inheritedLabels(base), ...cnbLabelsOf(app), ...app.labels },
  };
}

/** Where base and app meet is told twice: to us, and to tools of CNB. */
function withSeam(run: RunConfig, seam: Readonly<Record<string, string>>): RunConfig {
  return { ...run, Labels: { ...run.Labels, ...seam } };
}

/** What a base says of itself in `org.opencontainers.image.*`, or of what it was built on, would be untrue of the image. */
function inheritedLabels(base: Image): Readonly<Record<string, string>> {
  const isItsOwn = (name: string) => name.startsWith(OCI_LABELS) || name === CNB_METADATA;
  return Object.fromEntries(Object.entries(labelsOf(base)).filter(([name]) => !isItsOwn(name)));
}

function historyOf(app: App): readonly HistoryEntry[] {
  return app.layers.map((layer) => ({ created: app.created, created_by: `pack-build: ${layer.name}` }));
}

function annotationsOf(base: Base, app: App, record: string): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(Object.entries(app.labels).filter(([name]) => name.startsWith(OCI_LABELS))),
    [`${OCI_LABELS}created`]: app.created,
    ...(base.name === undefined ? {} : { [`${OCI_LABELS}base.name`]: base.name }),
    [`${OCI_LABELS}base.digest`]: digestOfImage(base.image),
    [RECORD_LABEL]: recordAnnotation(record),
  };
}

function seamOf(base: Base, layers: readonly Layer[]) {
  return defined({ name: base.name, digest: digestOfImage(base.image), index: base.index, layers });
}

function asOci({ descriptor, diffId }: Layer): Layer {
  const mapped: Descriptor = { ...descriptor, mediaType: ociMediaType(descriptor.mediaType) };
  return { descriptor: mapped, diffId };
}

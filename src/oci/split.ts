import { fail } from '../values/error.js';
import type { App } from './app.js';
import { envRecord } from './env.js';
import { type Image, type Layer, labelsOf, layersOf } from './image.js';
import { ociMediaType } from './media-types.js';
import { parseRecord, RECORD_LABEL, recordAnnotation, type SeamRecord } from './record.js';
import { digestOfSettings } from './settings.js';

/** An image taken apart where `assemble` joined it. */
export interface Split {
  readonly app: App;
  readonly base: SeamRecord['base'];
}

/**
 * Takes an image of ours apart into the app and the base it stands on. Undoes `assemble`.
 *
 * The seam is read from the record and proved on the image: the base's layers are its lowest ones, the app's the rest, and
 * the settings are those the record tells of. Layers are known by what is in them: tools that move images compress them
 * anew, and then the app has its layers as they are now. Throws `REBASE_NOT_OURS` for an image without a record,
 * `REBASE_RECORD_INVALID` for a record that cannot be read, `REBASE_SEAM_BROKEN` for an image that was changed since.
 */
export function split(image: Image): Split {
  const { record, found } = readOurs(image);
  const { base } = record;
  proveLayers(found, [...base.layers, ...record.app.layers], base.layers.length);
  proveSettings(image, record);
  return { app: asFound(record.app, found.slice(base.layers.length)), base };
}

/** An app that another tool has put on another base, and how many layers lie below it now. */
export interface Moved {
  readonly app: App;
  readonly below: number;
}

/**
 * Takes the app out of an image of ours that another tool has moved. The record still tells all of the app, and is proved on
 * it: its layers are the highest ones, its settings as they were. It does not tell what lies below: that is for the caller to
 * prove. Throws as `split`.
 */
export function splitMoved(image: Image): Moved {
  const { record, found } = readOurs(image);
  const { layers } = record.app;
  const below = Math.max(0, found.length - layers.length);
  proveLayers(found, [...found.slice(0, below), ...layers], below);
  proveSettings(image, record);
  return { app: asFound(record.app, found.slice(below)), below };
}

function readOurs(image: Image): { readonly record: SeamRecord; readonly found: readonly Layer[] } {
  const label = labelsOf(image)[RECORD_LABEL];
  if (label === undefined) {
    throw fail('REBASE_NOT_OURS', {
      what: 'the image was not made by pack-build',
      why: `it has no label ${RECORD_LABEL}`,
      fix: 'build it with pack-build once; after that it can be rebased',
    });
  }
  const record = parseRecord(label);
  proveLabel(image, label);
  return { record, found: layersOf(image) };
}

function proveLabel(image: Image, label: string): void {
  const stated = image.manifest.value.annotations?.[RECORD_LABEL];
  if (stated === undefined || stated === recordAnnotation(label)) return;
  throw broken(`the record in the label ${RECORD_LABEL} is not the one that the manifest's annotation names`);
}

function proveLayers(found: readonly Layer[], recorded: readonly Layer[], baseLayers: number): void {
  if (found.length !== recorded.length) {
    throw broken(
      `the record tells of ${recorded.length} layers (${baseLayers} of the base), the image has ${found.length}`,
    );
  }
  for (const [at, layer] of recorded.entries()) {
    const actual = found[at] as Layer;
    if (actual.diffId !== layer.diffId) throw broken(layerDiffers(at, baseLayers, layer.diffId, actual.diffId));
  }
}

function asFound(app: App, found: readonly Layer[]): App {
  const layers = app.layers.map((layer, at) => {
    const { descriptor } = found[at] ?? layer;
    if (descriptor.digest === layer.descriptor.digest) return layer;
    return {
      ...layer,
      descriptor: { mediaType: ociMediaType(descriptor.mediaType), digest: descriptor.digest, size: descriptor.size },
    };
  });
  return { ...app, layers };
}

function proveSettings(image: Image, { app, settings: recordedDigest }: SeamRecord): void {
  const config = image.config.value.config ?? {};
  const settings: readonly (readonly [string, unknown, unknown])[] = [
    ['Entrypoint', app.entrypoint, config.Entrypoint],
    ['Cmd', app.cmd, config.Cmd ?? []],
    ['User', app.user, config.User],
    ['WorkingDir', app.workingDir, config.WorkingDir],
    ['StopSignal', app.stopSignal, config.StopSignal],
  ];
  for (const [name, recorded, found] of settings) {
    if (JSON.stringify(recorded) === JSON.stringify(found)) continue;
    throw broken(`the record says ${name} ${JSON.stringify(recorded)}, the image has ${JSON.stringify(found ?? null)}`);
  }
  const env = envRecord(config.Env ?? []);
  for (const [name, value] of Object.entries(app.env)) {
    if ((Object.hasOwn(env, name) ? env[name] : null) === value) continue;
    throw broken(`the record and the image have different values of the environment variable ${name}`);
  }
  if (digestOfSettings(config) === recordedDigest) return;
  throw broken('its environment, its labels or another of its settings were changed, and a rebase would lose that');
}

function layerDiffers(at: number, baseLayers: number, recorded: string, found: string): string {
  const part =
    at < baseLayers ? `layer ${at + 1} of ${baseLayers} of the base` : `layer ${at + 1 - baseLayers} of the app`;
  return `${part} is ${found}, the record says ${recorded}`;
}

function broken(why: string) {
  return fail('REBASE_SEAM_BROKEN', {
    what: 'the image is not what pack-build made: it cannot be taken apart into base and app',
    why,
    fix: 'if another tool put it on another base, `pack-build rebase IMAGE --base REF` goes on from there; else build it again',
  });
}

import { type Digest, digestOf, parseDiffId, parseDigest } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import { fail, isFailure, type Json } from '../values/error.js';
import {
  asArray,
  asObject,
  asSize,
  asString,
  asStringMap,
  asStrings,
  defined,
  type Located,
  member,
  optional,
  parseJson,
} from '../values/json.js';
import type { App, AppLayer, BuildpackRecord } from './app.js';
import { parsePlatformObject } from './documents.js';
import type { Layer } from './image.js';

/** The config label that holds the seam record, and the manifest annotation that holds its digest and version. */
export const RECORD_LABEL = 'dev.pack-build.app';

/** Where the base ends and the app begins, and all that the image's other fields cannot tell of the app. */
export interface SeamRecord {
  readonly base: {
    readonly name?: string;
    readonly digest: Digest;
    readonly index?: Digest;
    readonly layers: readonly Layer[];
  };
  readonly app: App;
  /** Of all settings of the image but this record, so that a change made to any of them is seen. */
  readonly settings: Digest;
}

/** The label's value: canonical, so that equal records are equal text. */
export function formatRecord({ base, app, settings }: SeamRecord): string {
  const { layers, ...rest } = app;
  return canonicalJson({
    schema: app.schema,
    base: { ...base, layers: base.layers.map(formatLayer) },
    app: { ...rest, layers: layers.map((layer) => ({ ...formatLayer(layer), name: layer.name })) },
    settings,
  } as unknown as Json);
}

/** The annotation's value for a label's value. */
export function recordAnnotation(label: string): string {
  return canonicalJson({ schema: 1, digest: digestOf(new TextEncoder().encode(label)) });
}

/** Reads the label's value. Throws `REBASE_RECORD_INVALID`, also for a schema that a newer pack-build wrote. */
export function parseRecord(label: string): SeamRecord {
  try {
    return readRecord(parseJson(new TextEncoder().encode(label), `label ${RECORD_LABEL}`, 'REBASE_RECORD_INVALID'));
  } catch (error) {
    if (!isFailure(error, 'DIGEST_INVALID', 'REBASE_RECORD_INVALID') || error.fix !== undefined) throw error;
    throw fail('REBASE_RECORD_INVALID', {
      what: 'the record that pack-build wrote into the image cannot be read',
      why: [error.message, error.why].filter(Boolean).join(': '),
      fix: 'the label was altered: build the image again',
    });
  }
}

function readRecord(root: Located): SeamRecord {
  const schema = asSize(member(root, 'schema'));
  if (schema !== 1) {
    throw fail('REBASE_RECORD_INVALID', {
      what: 'the image was written by a newer pack-build',
      why: `its record has schema ${schema}; this version reads schema 1`,
      fix: 'use a newer pack-build',
    });
  }
  const base = member(root, 'base');
  return {
    base: defined({
      name: optional(member(base, 'name'), asString),
      digest: parseDigest(member(base, 'digest').value),
      index: optional(member(base, 'index'), (located) => parseDigest(located.value)),
      layers: asArray(member(base, 'layers')).map(readLayer),
    }),
    app: readApp(member(root, 'app')),
    settings: parseDigest(member(root, 'settings').value),
  };
}

function readApp(at: Located): App {
  const buildBase = member(at, 'buildBase');
  const needs = member(at, 'needs');
  return {
    schema: 1,
    created: asString(member(at, 'created')),
    platform: parsePlatformObject(member(at, 'platform')),
    stack: asString(member(at, 'stack')),
    buildBase: defined({
      digest: parseDigest(member(buildBase, 'digest').value),
      name: optional(member(buildBase, 'name'), asString),
      packages: optional(member(buildBase, 'packages'), (located) => parseDigest(located.value)),
    }),
    buildpacks: asArray(member(at, 'buildpacks')).map(readBuildpack),
    processes: asStringMap(member(at, 'processes')),
    entrypoint: asStrings(member(at, 'entrypoint')),
    cmd: asStrings(member(at, 'cmd')),
    user: asString(member(at, 'user')),
    workingDir: asString(member(at, 'workingDir')),
    stopSignal: asString(member(at, 'stopSignal')),
    env: readOverlay(member(at, 'env')),
    labels: asStringMap(member(at, 'labels')),
    needs: {
      paths: asStrings(member(needs, 'paths')),
      libraries: asStrings(member(needs, 'libraries')),
      versions: readVersions(member(needs, 'versions')),
    },
    layers: asArray(member(at, 'layers')).map(
      (layer): AppLayer => ({ ...readLayer(layer), name: asString(member(layer, 'name')) }),
    ),
  };
}

function readBuildpack(at: Located): BuildpackRecord {
  return {
    id: asString(member(at, 'id')),
    name: asString(member(at, 'name')),
    version: asString(member(at, 'version')),
  };
}

function readVersions(at: Located): App['needs']['versions'] {
  return Object.fromEntries(Object.keys(asObject(at)).map((name) => [name, asStrings(member(at, name))]));
}

function readOverlay(at: Located): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.keys(asObject(at)).map((name) => [name, optional(member(at, name), asString) ?? null]),
  );
}

/** A layer in a record is flat; urls and annotations stay in the manifest, which has them too. */
function formatLayer({ descriptor, diffId }: Layer) {
  return { diffId, digest: descriptor.digest, size: descriptor.size, mediaType: descriptor.mediaType };
}

function readLayer(at: Located): Layer {
  return {
    diffId: parseDiffId(member(at, 'diffId').value),
    descriptor: {
      mediaType: asString(member(at, 'mediaType')),
      digest: parseDigest(member(at, 'digest').value),
      size: asSize(member(at, 'size')),
    },
  };
}

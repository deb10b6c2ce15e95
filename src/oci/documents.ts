import type { Descriptor } from '../values/descriptor.js';
import { type DiffId, digestOf, parseDiffId, parseDigest } from '../values/digest.js';
import { type Document, documentFrom } from '../values/document.js';
import { fail, isFailure } from '../values/error.js';
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
  withoutNulls,
} from '../values/json.js';
import type { Platform } from '../values/platform.js';
import { isIndex, isManifest } from './media-types.js';
import { parseRunConfig, type RunConfig } from './run-config.js';

export type { RunConfig } from './run-config.js';

/** An image manifest (image-spec, manifest.md; Docker's v2s2 has the same shape). Unknown members are kept. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [unknown: string]: unknown;
}

/** An image index (image-spec, image-index.md; Docker's manifest list has the same shape). Unknown members are kept, in its descriptors too. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [unknown: string]: unknown;
}

/** How a layer came about (image-spec, config.md, `history`). */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** An image configuration (image-spec, config.md). Unknown members are kept. */
export interface ImageConfig {
  readonly created?: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly config?: RunConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly DiffId[] };
  readonly history?: readonly HistoryEntry[];
  readonly [unknown: string]: unknown;
}

/** No manifest, index or config larger than this is read. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Reads a manifest; members that are not ours to know stay in the value. Throws `IMAGE_INVALID`. */
export function parseManifest(bytes: Uint8Array, mediaType: string): Document<Manifest> {
  const root = parseDocument(bytes, 'manifest', mediaType);
  const known = defined({
    schemaVersion: 2 as const,
    mediaType: optional(member(root, 'mediaType'), asString),
    config: parseDescriptor(member(root, 'config')),
    layers: asArray(member(root, 'layers')).map(parseDescriptor),
    annotations: optional(member(root, 'annotations'), asStringMap),
  });
  return documentFrom({ ...withoutNulls(asObject(root)), ...known }, bytes, mediaType);
}

/** Reads an index; members that are not ours to know stay in the value. Throws `IMAGE_INVALID`. */
export function parseIndex(bytes: Uint8Array, mediaType: string): Document<Index> {
  const root = parseDocument(bytes, 'index', mediaType);
  const known = defined({
    schemaVersion: 2 as const,
    mediaType: optional(member(root, 'mediaType'), asString),
    manifests: asArray(member(root, 'manifests')).map(parseEntry),
    annotations: optional(member(root, 'annotations'), asStringMap),
  });
  return documentFrom({ ...withoutNulls(asObject(root)), ...known }, bytes, mediaType);
}

/** A descriptor of an index, with all that it says. */
function parseEntry(at: Located): Descriptor {
  const platform = optional(member(at, 'platform'), (located) => ({
    ...withoutNulls(asObject(located)),
    ...parsePlatformObject(located),
  }));
  return { ...withoutNulls(asObject(at)), ...parseDescriptor(at), ...defined({ platform }) };
}

/** Reads an image configuration; members that are not ours to know stay in the value. Throws `IMAGE_INVALID`. */
export function parseConfig(bytes: Uint8Array, mediaType: string): Document<ImageConfig> {
  const root = parseJson(bounded(bytes, 'config'), 'config', 'IMAGE_INVALID');
  const rootfs = member(root, 'rootfs');
  const diffIds = asArray(member(rootfs, 'diff_ids')).map((item) => invalidIfMalformed(item, parseDiffId));
  const config = {
    ...asObject(root),
    os: asString(member(root, 'os')),
    architecture: asString(member(root, 'architecture')),
    rootfs: { type: 'layers' as const, diff_ids: diffIds },
    ...defined({
      created: optional(member(root, 'created'), asString),
      variant: optional(member(root, 'variant'), asString),
      config: optional(member(root, 'config'), parseRunConfig),
      history: optional(member(root, 'history'), (list) => asArray(list).map((item) => asObject(item) as HistoryEntry)),
    }),
  };
  return documentFrom(withoutNulls(config) as unknown as ImageConfig, bytes, mediaType);
}

export function parseDescriptor(located: Located): Descriptor {
  const descriptor = readDescriptor(located);
  const data = optional(member(located, 'data'), asString);
  // Nobody here reads it, but another reader may take it for the bytes.
  if (data !== undefined && !holds(data, descriptor)) {
    throw fail('IMAGE_INVALID', {
      what: `${located.at}.data is not what the descriptor names`,
      why: `it is not the base64 of ${descriptor.size} bytes with the digest ${descriptor.digest}`,
    });
  }
  return descriptor;
}

function holds(data: string, { digest, size }: Descriptor): boolean {
  const bytes = Buffer.from(data, 'base64');
  return bytes.toString('base64') === data && bytes.byteLength === size && digestOf(bytes) === digest;
}

function readDescriptor(located: Located): Descriptor {
  return defined({
    mediaType: asString(member(located, 'mediaType')),
    digest: invalidIfMalformed(member(located, 'digest'), parseDigest),
    size: asSize(member(located, 'size')),
    urls: optional(member(located, 'urls'), asStrings),
    annotations: optional(member(located, 'annotations'), asStringMap),
    platform: optional(member(located, 'platform'), parsePlatformObject),
    artifactType: optional(member(located, 'artifactType'), asString),
  });
}

/** Reads the platform of a descriptor or a configuration. */
export function parsePlatformObject(located: Located): Platform {
  return defined({
    os: asString(member(located, 'os')),
    architecture: asString(member(located, 'architecture')),
    variant: optional(member(located, 'variant'), asString),
  });
}

/** A document must be of one kind only, else two readers could see two images in it (CVE-2021-41190). */
function parseDocument(bytes: Uint8Array, kind: 'manifest' | 'index', mediaType: string): Located {
  const root = parseJson(bounded(bytes, kind), kind, 'IMAGE_INVALID');
  const object = asObject(root);
  const stated = optional(member(root, 'mediaType'), asString) ?? mediaType;
  const right = kind === 'manifest' ? isManifest : isIndex;
  if (!right(mediaType) || stated !== mediaType) {
    throw fail('IMAGE_INVALID', {
      what: `the ${kind} states another media type than it was found under`,
      why: `found as ${mediaType}, states ${stated}`,
    });
  }
  if (object['schemaVersion'] !== 2) {
    throw fail('IMAGE_INVALID', {
      what: `the ${kind} has a schema version that cannot be read`,
      why: `expected 2, found ${JSON.stringify(object['schemaVersion'])}`,
    });
  }
  if ('manifests' in object && ('layers' in object || 'config' in object)) {
    throw fail('IMAGE_INVALID', {
      what: 'a document claims to be both a manifest and an index',
      why: 'it has `manifests` beside `layers` or `config`',
    });
  }
  return root;
}

function bounded(bytes: Uint8Array, kind: string): Uint8Array {
  if (bytes.byteLength <= MAX_DOCUMENT_BYTES) return bytes;
  throw fail('IMAGE_INVALID', {
    what: `the ${kind} is too large`,
    why: `${bytes.byteLength} bytes; at most ${MAX_DOCUMENT_BYTES} are read`,
  });
}

function invalidIfMalformed<T>(located: Located, parse: (value: unknown) => T): T {
  try {
    return parse(located.value);
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw fail('IMAGE_INVALID', { what: `${located.at}: ${error.message}`, why: error.why });
  }
}

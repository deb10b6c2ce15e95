import { parseIndex, parseManifest } from '../oci/documents.js';
import { isIndex, isManifest } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';

/** A document as its bytes are: a manifest, an index, a config. */
export interface FoundDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

interface Where {
  /** As named. */
  readonly host: string;
  readonly repository: string;
}

/** Documents that a repository has, as far as we have seen: what a digest names need not be asked for twice. */
export interface Documents {
  readonly keep: (where: Where, document: FoundDocument) => void;
  readonly get: (where: Where, digest: Digest) => FoundDocument | undefined;
  /** The blobs that an image, or the images of an index, consist of: as long as that is there, so are they. */
  readonly blobsOf: (where: Where, digest: Digest) => ReadonlySet<Digest>;
}

const MOST_BYTES = 8 * 1024 * 1024;

/** Remembers so many bytes of documents; those that were not asked for the longest go first. All must be verified. */
export function documents(most = MOST_BYTES): Documents {
  const kept = new Map<string, FoundDocument>();
  let bytes = 0;
  const keyOf = ({ host, repository }: Where, digest: Digest) => `${host}/${repository}@${digest}`;
  const forget = (key: string) => {
    bytes -= kept.get(key)?.bytes.byteLength ?? 0;
    kept.delete(key);
  };
  const keep = (key: string, document: FoundDocument) => {
    forget(key);
    kept.set(key, document);
    bytes += document.bytes.byteLength;
    for (const oldest of kept.keys()) {
      if (bytes <= most) break;
      forget(oldest);
    }
  };
  const get = (where: Where, digest: Digest) => {
    const key = keyOf(where, digest);
    const document = kept.get(key);
    if (document !== undefined) keep(key, document);
    return document;
  };
  const blobsOf = (where: Where, digest: Digest): readonly Digest[] => {
    const {
      descriptor: { mediaType },
      bytes,
    } = get(where, digest) ?? NONE;
    if (isIndex(mediaType))
      return parseIndex(bytes, mediaType).value.manifests.flatMap((child) => blobsOf(where, child.digest));
    if (!isManifest(mediaType)) return [];
    const { config, layers } = parseManifest(bytes, mediaType).value;
    return [config, ...layers].map((blob) => blob.digest);
  };
  return {
    keep: (where, document) => keep(keyOf(where, document.descriptor.digest), document),
    get,
    blobsOf: (where, digest) => new Set(blobsOf(where, digest)),
  };
}

const NONE = { descriptor: { mediaType: '' }, bytes: new Uint8Array() };

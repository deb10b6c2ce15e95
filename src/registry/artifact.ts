import type { Digest } from '../values/digest.js';

/** Something to attach to an image: an SBOM, a signature, a provenance. */
export interface Artifact {
  readonly artifactType: string;
  readonly blobs: readonly { readonly mediaType: string; readonly bytes: Uint8Array }[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Which artifact is looked for. */
export interface AttachedRequest {
  /** The image that it is about. */
  readonly subject: Digest;
  readonly artifactType: string;
  /** No more bytes are read. */
  readonly most: number;
}

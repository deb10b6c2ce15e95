import type { Digest } from './digest.js';
import type { Platform } from './platform.js';

/** What points at bytes (image-spec, descriptor.md). Fields we do not know survive in documents, which keep their bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Foreign layers only: kept, never fetched. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

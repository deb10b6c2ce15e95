import type { Digest } from '../values/digest.js';

/** One entry of a layer's tar, as far as policies look at it. */
export interface ScannedEntry {
  /** Relative to the image's root; empty for the root itself. */
  readonly path: string;
  readonly type: 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** A symlink's text, or the path that a hard link leads to. */
  readonly link?: string | undefined;
  /** Names of extended attributes. Absent where there are none. */
  readonly xattrs?: readonly string[] | undefined;
}

/** What a layer holds, in the order of its tar. */
export interface LayerScan {
  /** Of the uncompressed tar. */
  readonly bytes: number;
  readonly entries: readonly ScannedEntry[];
}

/** The base below an image. */
export interface KnownBase {
  /** So many of the lowest layers are the base's. */
  readonly layers: number;
  /** Of its manifest, and of the index that it was chosen from. */
  readonly digests: readonly Digest[];
  /** A registry reference. */
  readonly name?: string | undefined;
  /** RFC 3339. */
  readonly created?: string | undefined;
  /** Whether its layers were compared with those of the image. Else the image alone says so. */
  readonly isProved: boolean;
}

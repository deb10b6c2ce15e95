import type { Image } from '../oci/image.js';
import type { Whole } from '../oci/image-index.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import type { Document } from '../values/document.js';
import type { Platform } from '../values/platform.js';
import type { BlobReader, BlobWriter } from './store.js';

/** An image that was found, with a reader for its layers. */
export interface FoundImage {
  readonly image: Image;
  /** The name it goes by: a registry reference or a layout's ref name, never a local path. */
  readonly name?: string;
  /** The index it was chosen from. */
  readonly index?: Digest;
  readonly blobs: BlobReader;
}

/** All that a name stands for, with a reader for its layers. */
export interface FoundWhole {
  readonly whole: Whole;
  readonly name?: string;
  readonly blobs: BlobReader;
}

/** What stands at a name. */
export interface Root {
  readonly digest: Digest;
  /** The tag that it has there. */
  readonly tag?: string;
}

/** A place that images are read from. */
export interface ImageSource {
  /** What the place's name stands for, and nothing more of it is read. Throws `IMAGE_NOT_FOUND`, `LAYOUT_INVALID`. */
  root(): Promise<Root>;
  /**
   * Resolves the place's name once and reads the documents of the image, or of the index with all its images, verified.
   * Throws as `find`, and `BLOB_NOT_FOUND` for an index that names what is not there.
   */
  findWhole(): Promise<FoundWhole>;
  /**
   * Resolves the place's name once and reads the image's documents, verified. From an index, the image of `platform` is
   * taken. Throws `IMAGE_NOT_FOUND`, `IMAGE_INVALID`, `LAYOUT_INVALID`, `DIGEST_MISMATCH`.
   */
  find(platform: Platform): Promise<FoundImage>;
}

/** A place that images are written to. */
export interface ImageTarget {
  /**
   * Looks whether the place can be written to at all, before any work is done for it, and makes nothing. Throws
   * `LAYOUT_INVALID` where something else is in the way, and `STORE_FAILED` where nothing can be written.
   */
  check(): Promise<void>;
  /**
   * Writes an image, or an index with its images, whose layers `blobs` has: blobs first, then what names them, the name
   * last. Either all of it is there afterwards, or what was there before. Returns the reference of what was written: the
   * place with its digest.
   */
  put(whole: Whole, blobs: BlobReader, signal?: AbortSignal): Promise<string>;
  /** Which of these blobs the place lacks. It is only looked at; an archive, which is written anew each time, lacks all. */
  lacks(blobs: readonly Descriptor[]): Promise<readonly Lack[]>;
}

/** What a name must stand for still when something else is put there: whoever moved it meanwhile is not overwritten. */
export interface Replacing {
  readonly expected: Digest;
  /** The root of what is replaced, if it is to be kept: it then gets a tag of its own, from which `rebase --undo` takes it. */
  readonly kept?: Document<unknown> | undefined;
}

/** How something is put. */
export interface PutOptions {
  /** What a tag of a registry or a layout must stand for still. */
  readonly replacing?: Replacing | undefined;
  /** Blobs that are not sent where another repository of the same registry has them: if they cannot be mounted, nothing is put. */
  readonly onlyMounted?: ReadonlySet<Digest> | undefined;
}

/** A blob that a place lacks. */
export interface Lack {
  readonly descriptor: Descriptor;
  /** How it will come there: its bytes are sent, or another repository of the same registry has it, from where it can be mounted. */
  readonly way: 'sent' | 'mounted';
}

export type { BlobReader, BlobWriter };

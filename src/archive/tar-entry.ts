/** What an entry of a tar is (POSIX pax, ustar typeflag). `link` is a hard link to an earlier entry. */
export type TarType = 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';

/** One entry of a tar, without its content. */
export interface TarEntry {
  /** Relative to the archive's root, with no `./`, no `..` and no slash at either end; empty for the root itself. */
  readonly path: string;
  readonly type: TarType;
  /** Permission bits with setuid, setgid and sticky: at most 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; 0 for all but files. */
  readonly size: number;
  /** A symlink's text, verbatim; a hard link's target as a path like `path`. */
  readonly linkName?: string | undefined;
  readonly devMajor?: number | undefined;
  readonly devMinor?: number | undefined;
}

/** Content as a stream or at once. */
export type Content = AsyncIterable<Uint8Array> | Uint8Array;

/** An entry that was read, without its content. */
export interface TarHead {
  readonly entry: TarEntry;
  /** Seconds since 1970. Never written: see `LAYER_MTIME`. */
  readonly mtime: number;
  /** Where the content begins in the tar, in bytes. */
  readonly offset: number;
  /** Names of the extended attributes that pax records give it, such as `security.capability`, sorted; absent for none. */
  readonly attributes?: readonly string[];
}

/** An entry that was read, with its content. */
export interface ReadEntry extends TarHead {
  /** May be left unread, in part or in whole, but not kept beyond the next entry. */
  readonly content: AsyncIterable<Uint8Array>;
}

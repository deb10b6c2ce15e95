import { fail } from '../values/error.js';

interface Owned {
  /** Relative to the image's root, as in a tar: `app/server.js`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What an app's layer may hold: one entry of its tar. */
export type LayerEntry =
  | (Owned & { readonly type: 'directory' })
  | (Owned & { readonly type: 'symlink'; readonly target: string })
  | (Owned & {
      readonly type: 'file';
      /** The host's file that has the bytes, or the bytes. */
      readonly from: string | Uint8Array;
      /** Bytes that the file must have, if it was looked at before. */
      readonly size?: number | undefined;
      /** The sha256 of its bytes, in hex, where somebody has read them and nobody has touched them since. */
      readonly hash?: string | undefined;
    });

/**
 * Refuses what must not be in an app's layer, with `LAYER_FILE_REFUSED`: names that mean a deletion, names that are not
 * UTF-8, and files that run with another user's rights.
 */
export function checkEntry(entry: LayerEntry): void {
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
  if (name.startsWith('.wh.')) {
    throw refused(entry, 'names that begin with `.wh.` mean a deletion in an image', 'rename the file');
  }
  if (entry.path.includes('\ufffd') || !entry.path.isWellFormed())
    throw refused(entry, 'its name is not UTF-8', 'rename the file');
  if (entry.type === 'file' && (entry.mode & 0o6000) !== 0) {
    const kind = (entry.mode & 0o4000) !== 0 ? 'setuid' : 'setgid';
    throw refused(
      entry,
      `it is ${kind} (mode ${entry.mode.toString(8)})`,
      'let the buildpack remove the bit: chmod ug-s FILE',
    );
  }
}

function refused({ path }: LayerEntry, why: string, fix: string) {
  return fail('LAYER_FILE_REFUSED', { what: `/${path} cannot be part of an image`, why, fix, details: { path } });
}

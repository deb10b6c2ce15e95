/** How the layers of an app are compressed, with a level if another than the usual one: `gzip:1` to `gzip:9`, `zstd:1` to `zstd:19`. */
export type Compression = 'gzip' | 'zstd' | 'none' | `gzip:${number}` | `zstd:${number}`;

/** What `isCompression` accepts, for messages. */
export const COMPRESSION_FORM = 'gzip, zstd or none, with a level if you like: gzip:1 to gzip:9, zstd:1 to zstd:19';

export function isCompression(text: string): text is Compression {
  return /^(none|gzip(:[1-9])?|zstd(:([1-9]|1[0-9]))?)$/.test(text);
}

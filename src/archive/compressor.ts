import type { Compression } from '../values/compression.js';
import { GZIP_FORMAT, GZIP_LEVEL, gzip } from './gzip.js';
import { ZSTD_FORMAT, ZSTD_LEVEL, zstd } from './zstd.js';

/** What makes a layer's blob of its tar: always the same blob of the same tar. */
export interface Compressor {
  /** The format and, if it is not the usual one, the level: what it made can be found again by it. */
  readonly name: string;
  readonly format: 'gzip' | 'zstd' | 'none';
  readonly compress: (tar: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

export function compressorOf(compression: Compression): Compressor {
  const [format, given] = compression.split(':') as ['gzip' | 'zstd' | 'none', string?];
  if (format === 'none') return { name: 'none', format, compress: (tar) => tar };
  const [name, compress, usual] = format === 'gzip' ? [GZIP_FORMAT, gzip, GZIP_LEVEL] : [ZSTD_FORMAT, zstd, ZSTD_LEVEL];
  const level = Number(given ?? usual);
  return { name: level === usual ? name : `${name}:${level}`, format, compress: (tar) => compress(tar, level) };
}

import { refused, shortened } from './tar-fault.js';
import { numberAt } from './tar-number.js';

export const BLOCK = 512;

/** One header block, its names still as bytes. */
export interface TarBlock {
  readonly flag: string;
  readonly name: Buffer;
  readonly link: Buffer;
  readonly size: number;
  readonly block: Buffer;
}

/** True for a block of zeros. */
export function isZero(bytes: Uint8Array, from = 0, to = bytes.byteLength): boolean {
  for (let at = from; at < to; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * Takes a header block apart that is not all zeros: POSIX ustar or GNU, with the plain checksum. Throws `ARCHIVE_INVALID`
 * for any other, and for what the formats leave undefined.
 */
export function parseBlock(block: Buffer): TarBlock {
  const gnu = requireFormat(block);
  if (gnu) requireEmptyGnuFields(block);
  else if (!isZero(block, 500)) throw refused('format', 'a header has bytes behind its last field');
  const name = textField(block, 0, 100);
  const prefix = gnu ? EMPTY : textField(block, 345, 155);
  const size = numberAt(block, 124, 12);
  if (size === undefined || size < 0) {
    throw refused('size', `its size is no number from 0 to 2^53: ${shown(block, 124, 12)}`, name.toString('latin1'));
  }
  return {
    flag: String.fromCharCode(block[156] as number),
    name: prefix.byteLength === 0 ? name : Buffer.concat([prefix, SLASH, name]),
    link: textField(block, 157, 100),
    size,
    block,
  };
}

const SLASH = Buffer.from('/');
const EMPTY = Buffer.alloc(0);
const POSIX = Buffer.from('ustar\u000000', 'latin1');
const GNU = Buffer.from('ustar  \u0000', 'latin1');

/** True for GNU's format. What is no tar at all gets a word on what it is. */
function requireFormat(block: Buffer): boolean {
  const gnu = block.compare(GNU, 0, 8, 257, 265) === 0;
  const known = gnu || block.compare(POSIX, 0, 8, 257, 265) === 0;
  const sum = numberAt(block, 148, 8);
  if (sum === checksum(block)) {
    if (known) return gnu;
    throw refused('format', `its headers are neither POSIX ustar nor GNU: ${shown(block, 257, 8)}`);
  }
  const other = KINDS.find(([magic]) => block.toString('latin1', 0, magic.length) === magic);
  if (other !== undefined) throw refused('format', `it is ${other[1]}`);
  if (!known) throw refused('format', `it is no tar: it begins with ${shown(block, 0, 16)}`);
  throw refused('checksum', `the checksum of a header is ${checksum(block).toString(8)}, not ${shown(block, 148, 8)}`);
}

const KINDS: readonly (readonly [magic: string, kind: string])[] = [
  ['PK\u0003\u0004', 'a zip archive'],
  ['PK\u0005\u0006', 'a zip archive'],
  ['\xfd7zXZ', 'compressed with xz'],
  ['BZh', 'compressed with bzip2'],
  ['7z\xbc\xaf\x27\x1c', 'a 7-zip archive'],
  ['\x1f\x8b', 'compressed with gzip'],
  ['\x28\xb5\x2f\xfd', 'compressed with zstd'],
];

/** The sum of all bytes, the checksum's own field taken as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at += 1) sum += block[at] as number;
  for (let at = 156; at < BLOCK; at += 1) sum += block[at] as number;
  return sum;
}

/** GNU keeps times where POSIX has the prefix; behind them are the fields of sparse files and of several volumes. */
function requireEmptyGnuFields(block: Buffer): void {
  const times = [345, 357].every((at) => isZero(block, at, at + 12) || (numberAt(block, at, 12) ?? -1) >= 0);
  if (times && isZero(block, 369)) return;
  throw refused('ambiguous', 'a header in GNU format has something where others keep the first part of the name');
}

/** What comes before a NUL. Behind it, some readers would find more. */
function textField(block: Buffer, at: number, length: number): Buffer {
  const zero = block.indexOf(0, at);
  if (zero === -1 || zero >= at + length) return block.subarray(at, at + length);
  if (!isZero(block, zero, at + length)) {
    throw refused('name', `a NUL stands in a name: ${shown(block, at, length)}`, block.toString('latin1', at, zero));
  }
  return block.subarray(at, zero);
}

function shown(block: Buffer, at: number, length: number): string {
  return shortened(block.toString('latin1', at, at + length));
}

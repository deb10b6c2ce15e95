import { isUtf8 } from 'node:buffer';
import { refused, shortened } from './tar-fault.js';

/** More than any tool writes: attributes of one file are at most 64 KiB. */
export const MOST_PAX_BYTES = 64 * 1024;
const MOST_RECORDS = 1000;

/** The records of a pax header. Values that need not be text, those of attributes, are left out. */
export type PaxRecords = ReadonlyMap<string, string>;

/**
 * Parses `LENGTH KEY=VALUE\n`, again and again, to the last byte (POSIX pax extended header). Throws `ARCHIVE_INVALID` for
 * anything that a reader could take apart in another way.
 */
export function parsePax(bytes: Buffer): PaxRecords {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.byteLength; ) {
    const end = endOfRecord(bytes, at);
    const equals = bytes.indexOf(0x3d, at);
    const space = bytes.indexOf(0x20, at);
    if (equals === -1 || equals >= end) throw malformed(`a record has no \`=\`: ${shown(bytes, at, end)}`);
    const key = bytes.toString('latin1', space + 1, equals);
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw malformed(`a record has the key ${shortened(key)}`);
    if (records.has(key)) throw malformed(`the record ${key} is there twice`);
    if (records.size === MOST_RECORDS) throw malformed(`it has more than ${MOST_RECORDS} records`);
    records.set(key, textValue(key, bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

function endOfRecord(bytes: Buffer, at: number): number {
  const digits = /^[1-9]\d{0,6} /.exec(bytes.toString('latin1', at, at + 8))?.[0];
  if (digits === undefined) throw malformed(`a record has no length: ${shown(bytes, at, at + 16)}`);
  const length = Number(digits);
  const end = at + length;
  if (length < digits.length + 3 || end > bytes.byteLength || bytes[end - 1] !== 0x0a) {
    throw malformed(`a record of ${length} bytes does not end with a line: ${shown(bytes, at, at + 16)}`);
  }
  return end;
}

function textValue(key: string, bytes: Buffer): string {
  if (isAttribute(key)) return '';
  if (bytes.includes(0)) throw malformed(`a NUL stands in the record ${key}`);
  if (!isUtf8(bytes)) throw malformed(`the record ${key} is not UTF-8: ${shortened(bytes.toString('latin1'))}`);
  return bytes.toString();
}

/** Extended attributes, whose values are any bytes. */
export function isAttribute(key: string): boolean {
  return /^(SCHILY\.xattr|LIBARCHIVE\.xattr|SCHILY\.acl|RHT)\./.test(key);
}

/** The names of the attributes among these records, sorted. */
export function attributesIn(pax: PaxRecords): readonly string[] {
  return [
    ...new Set([...pax.keys()].flatMap((key) => /^(?:SCHILY|LIBARCHIVE)\.xattr\.(.+)$/.exec(key)?.[1] ?? [])),
  ].sort();
}

function shown(bytes: Buffer, from: number, to: number): string {
  return shortened(bytes.toString('latin1', from, Math.min(to, from + 64, bytes.byteLength)));
}

function malformed(why: string) {
  return refused('pax', `of a pax header: ${why}`);
}

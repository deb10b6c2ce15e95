import type { TarEntry, TarType } from './tar-entry.js';

/** The time of every entry we write: 1980-01-01T00:00:01Z, in seconds since 1970. */
export const LAYER_MTIME = 315_532_801;

/** What ends a tar: two zero blocks, with no padding to a larger record. */
export const END_OF_TAR = new Uint8Array(1024);

const BLOCK = 512;
const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};
/** The largest values of ustar's fields of eleven and seven octal digits (POSIX pax, ustar interchange format). */
const MAX_SIZE = 0o77777777777;
const MAX_ID = 0o7777777;

/** The header of an entry: one ustar block, with a pax header before it only where ustar cannot hold a value. */
export function encodeHeader(entry: TarEntry): Buffer {
  const path = Buffer.from(nameOf(entry));
  const link = Buffer.from(entry.linkName ?? '');
  const split = isPlain(path) ? splitPath(path) : undefined;
  const records: Buffer[] = [];
  if (split === undefined) records.push(paxRecord('path', path));
  if (link.byteLength > 100 || !isPlain(link)) records.push(paxRecord('linkpath', link));
  if (entry.size > MAX_SIZE) records.push(paxRecord('size', String(entry.size)));
  if (entry.uid > MAX_ID) records.push(paxRecord('uid', String(entry.uid)));
  if (entry.gid > MAX_ID) records.push(paxRecord('gid', String(entry.gid)));
  const [prefix, name] = split ?? [Buffer.alloc(0), path.subarray(0, 100)];
  const main = ustarBlock({ ...entry, prefix, name, link: link.subarray(0, 100), flag: FLAGS[entry.type] });
  return records.length === 0 ? main : Buffer.concat([paxHeader(Buffer.concat(records)), main]);
}

/** The zeros that fill the last block of a content of this many bytes. */
export function paddingOf(size: number): Uint8Array {
  return END_OF_TAR.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

function nameOf({ path, type }: TarEntry): string {
  if (type !== 'directory') return path;
  return path === '' ? './' : `${path}/`;
}

function isPlain(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}

/** ustar's prefix and name, split at the first slash that makes both fit; undefined when none does. */
function splitPath(path: Buffer): readonly [prefix: Buffer, name: Buffer] | undefined {
  if (path.byteLength <= 100) return [Buffer.alloc(0), path];
  const slash = path.indexOf('/', path.byteLength - 101);
  if (slash <= 0 || slash > 155 || slash === path.byteLength - 1) return undefined;
  return [path.subarray(0, slash), path.subarray(slash + 1)];
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself (POSIX pax extended header). */
function paxRecord(key: string, value: Uint8Array | string): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.byteLength;
  while (rest.byteLength + String(length).length !== length) length = rest.byteLength + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function paxHeader(records: Buffer): Buffer {
  const header = ustarBlock({
    prefix: Buffer.alloc(0),
    name: Buffer.from('PaxHeader'),
    link: Buffer.alloc(0),
    flag: 'x',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.byteLength,
  });
  return Buffer.concat([header, records, paddingOf(records.byteLength)]);
}

interface UstarFields {
  readonly prefix: Buffer;
  readonly name: Buffer;
  readonly link: Buffer;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly devMajor?: number | undefined;
  readonly devMinor?: number | undefined;
}

function ustarBlock(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  fields.name.copy(block, 0);
  block.write(octal(fields.mode & 0o7777, 6), 100);
  block.write(octal(fields.uid, 6), 108);
  block.write(octal(fields.gid, 6), 116);
  block.write(octal(fields.size > MAX_SIZE ? 0 : fields.size, 11), 124);
  block.write(octal(LAYER_MTIME, 11), 136);
  block.write(fields.flag, 156);
  fields.link.copy(block, 157);
  block.write('ustar\u000000', 257, 'latin1');
  block.write(octal(fields.devMajor ?? 0, 6), 329);
  block.write(octal(fields.devMinor ?? 0, 6), 337);
  fields.prefix.copy(block, 345);
  block.write(octal(checksum(block), 6), 148);
  return block;
}

/** Digits and a space; one digit more without the space where a value needs it; 0 where a pax record holds the value. */
function octal(value: number, digits: number): string {
  const text = value.toString(8);
  if (text.length > digits + 1) return octal(0, digits);
  return text.length > digits ? text : `${text.padStart(digits, '0')} `;
}

/** The sum of all bytes, the checksum's own field taken as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  return sum;
}

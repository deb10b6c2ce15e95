/** A header as nobody should write it: each field as it is given, with the checksum that belongs to it. */
export interface RawHeader {
  readonly name?: string | Buffer;
  readonly mode?: string;
  readonly uid?: string | Buffer;
  readonly gid?: string | Buffer;
  /** A number is written in octal digits. */
  readonly size?: number | string | Buffer;
  readonly mtime?: string | Buffer;
  readonly checksum?: string;
  readonly flag?: string;
  readonly link?: string | Buffer;
  readonly magic?: string;
  readonly devMajor?: string;
  readonly devMinor?: string;
  readonly prefix?: string | Buffer;
  /** What comes behind the header, without padding. */
  readonly body?: string | Buffer;
}

export const GNU_MAGIC = 'ustar  \0';
export const END = Buffer.alloc(1024);

const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;

/** A header with its body, filled up to whole blocks. The size is that of the body, unless it is given. */
export function raw(fields: RawHeader = {}): Buffer {
  const body = Buffer.from(fields.body ?? '');
  const size = fields.size ?? body.byteLength;
  const block = Buffer.alloc(512);
  const put = (value: string | Buffer, at: number) => Buffer.from(value as string, 'utf8').copy(block, at);
  put(fields.name ?? 'a', 0);
  put(fields.mode ?? octal(0o644, 7), 100);
  put(fields.uid ?? octal(0, 7), 108);
  put(fields.gid ?? octal(0, 7), 116);
  put(typeof size === 'number' ? octal(size, 11) : size, 124);
  put(fields.mtime ?? octal(1, 11), 136);
  put(fields.flag ?? '0', 156);
  put(fields.link ?? '', 157);
  put(fields.magic ?? 'ustar\u000000', 257);
  put(fields.devMajor ?? octal(0, 7), 329);
  put(fields.devMinor ?? octal(0, 7), 337);
  put(fields.prefix ?? '', 345);
  put(fields.checksum ?? `${octal(sumOf(block), 6)} `, 148);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.byteLength % 512)) % 512)]);
}

function sumOf(block: Buffer): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

/** Corrects the checksum of the header that begins there. */
export function resum(bytes: Buffer, at = 0): void {
  const block = bytes.subarray(at, at + 512);
  block.write(`${octal(sumOf(block), 6)} `, 148);
}

/** A tar of such headers, with its end. */
export function tarOf(...parts: readonly (RawHeader | Buffer)[]): Buffer {
  return Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : raw(part))), END]);
}

/** A pax header of these records. */
export function pax(records: Readonly<Record<string, string>> | string, flag = 'x'): RawHeader {
  const body =
    typeof records === 'string'
      ? records
      : Object.entries(records)
          .map(([key, value]) => record(key, value))
          .join('');
  return { name: 'PaxHeaders/a', flag, body };
}

export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (Buffer.byteLength(rest) + String(length).length !== length)
    length = Buffer.byteLength(rest) + String(length).length;
  return `${length}${rest}`;
}

/** GNU's header for a long name (`L`) or a long link (`K`). */
export function gnuLong(flag: 'L' | 'K', text: string): RawHeader {
  return { name: '././@LongLink', flag, magic: GNU_MAGIC, body: `${text}\0` };
}

/** A number in base-256. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length, value < 0n ? 0xff : 0);
  for (let [at, rest] = [length - 1, value]; at > 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  bytes[0] = value < 0n ? 0xff : 0x80;
  return bytes;
}

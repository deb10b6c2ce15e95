import { fail } from '../values/error.js';

/** Names of extended attributes as the tar's own headers have them, beside a reader that does not tell of them. */
export interface AttributeTap {
  /** Passes the tar's bytes on. */
  pass(tar: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /**
   * Of the entry whose content begins here; undefined for none. Each entry is asked for once, and in the order of the tar.
   * Throws `ARCHIVE_INVALID` where no entry's content begins here: then two readers see two archives.
   */
  at(offset: number): readonly string[] | undefined;
}

const BLOCK = 512;

/** Larger headers are no entry's: nothing of them would be read. */
const MAX_PAX = 1 << 20;

const ATTRIBUTE = /^(?:SCHILY|LIBARCHIVE)\.xattr\.(.+)$/s;

/** Looks at headers as they pass, and at no content. */
export function attributeTap(): AttributeTap {
  const seen = new Map<number, readonly string[] | undefined>();
  const read = headerReader((offset, names) => seen.set(offset, names));
  return {
    async *pass(tar) {
      for await (const chunk of tar) {
        read(chunk);
        yield chunk;
      }
    },
    at(offset) {
      if (!seen.has(offset)) {
        throw fail('ARCHIVE_INVALID', {
          what: 'a layer has an entry that two readers do not see alike',
          why: `nothing says that one begins at byte ${offset - BLOCK}`,
        });
      }
      const names = seen.get(offset);
      for (const passed of seen.keys()) {
        seen.delete(passed);
        if (passed === offset) break;
      }
      return names;
    },
  };
}

/** Takes the tar in chunks of any size and tells of each entry, behind its header. */
function headerReader(tell: Tell): (chunk: Uint8Array) => void {
  const take = blockReader(tell);
  let position = 0;
  let next: Next = { wanted: BLOCK, skip: 0 };
  let parts: Uint8Array[] = [];
  return (chunk) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const isSkipped = next.skip > 0;
      const have = parts.reduce((sum, part) => sum + part.byteLength, 0);
      const part = chunk.subarray(at, at + (isSkipped ? next.skip : next.wanted - have));
      at += part.byteLength;
      position += part.byteLength;
      if (isSkipped) {
        next = { ...next, skip: next.skip - part.byteLength };
        continue;
      }
      parts.push(part);
      if (have + part.byteLength < next.wanted) continue;
      next = take(Buffer.concat(parts), position);
      parts = [];
    }
  };
}

type Tell = (offset: number, names: readonly string[] | undefined) => void;

/** How many bytes to pass over, and how many to read then. */
interface Next {
  readonly skip: number;
  readonly wanted: number;
}

/** Takes a header, or what belongs to one, and says what to read next. */
function blockReader(tell: Tell): (block: Buffer, end: number) => Next {
  let body: { readonly isGlobal: boolean; readonly size: number } | undefined;
  let own: Pax = NONE;
  let global: Pax = NONE;
  return (block, end) => {
    if (body !== undefined) {
      const pax = paxOf(block.subarray(0, body.size));
      if (body.isGlobal) global = pax;
      else own = pax;
      body = undefined;
      return { skip: 0, wanted: BLOCK };
    }
    if (block.every((byte) => byte === 0)) return { skip: 0, wanted: BLOCK };
    const type = String.fromCharCode(block[156] ?? 0);
    const size = sizeIn(block);
    if ((type === 'x' || type === 'g') && size > 0) {
      if (size > MAX_PAX) throw fail('ARCHIVE_INVALID', { what: 'a layer has a header of more than 1 MiB' });
      body = { isGlobal: type === 'g', size };
      return { skip: 0, wanted: padded(size) };
    }
    if ('xgLK'.includes(type)) return { skip: padded(size), wanted: BLOCK };
    const names = [...global.names, ...own.names];
    tell(end, names.length === 0 ? undefined : [...new Set(names)].sort());
    const bytes = type === '5' ? 0 : (own.size ?? size);
    own = NONE;
    return { skip: padded(bytes), wanted: BLOCK };
  };
}

interface Pax {
  readonly names: readonly string[];
  readonly size?: number | undefined;
}

const NONE: Pax = { names: [] };

function paxOf(bytes: Buffer): Pax {
  const names: string[] = [];
  let size: number | undefined;
  for (let at = 0; at < bytes.byteLength; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(space, at)));
    if (space < 0 || !Number.isSafeInteger(length) || length <= 0) break;
    const record = bytes.toString('utf8', space + 1, at + length - 1);
    const key = record.slice(0, Math.max(record.indexOf('='), 0));
    const name = ATTRIBUTE.exec(key)?.[1];
    if (name !== undefined) names.push(name);
    if (key === 'size') size = Number(record.slice(key.length + 1));
    at += length;
  }
  return { names, size };
}

/** Octal, or in base 256 where the first bit is set. */
function sizeIn(block: Buffer): number {
  const field = block.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) === 0)
    return Number.parseInt(field.toString('latin1').replace(/\0.*$/s, '').trim() || '0', 8);
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

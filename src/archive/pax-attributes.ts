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
function headerReader(
  tell: (offset: number, names: readonly string[] | undefined) => void,
): (chunk: Uint8Array) => void {
  let position = 0;
  let skip = 0;
  let wanted = BLOCK;
  let parts: Uint8Array[] = [];
  let body: { readonly isGlobal: boolean; readonly size: number } | undefined;
  let next: Pax = NONE;
  let global: Pax = NONE;
  const take = (block: Buffer) => {
    wanted = BLOCK;
    if (body !== undefined) {
      const pax = paxOf(block.subarray(0, body.size));
      if (body.isGlobal) global = pax;
      else next = pax;
      body = undefined;
      return;
    }
    if (block.every((byte) => byte === 0)) return;
    const type = String.fromCharCode(block[156] ?? 0);
    const size = sizeIn(block);
    if (type === 'x' || type === 'g') {
      if (size > MAX_PAX) throw fail('ARCHIVE_INVALID', { what: 'a layer has a header of more than 1 MiB' });
      body = size === 0 ? undefined : { isGlobal: type === 'g', size };
      wanted = size === 0 ? BLOCK : padded(size);
      return;
    }
    if (type === 'L' || type === 'K') {
      skip = padded(size);
      return;
    }
    const names = [...global.names, ...next.names];
    tell(position, names.length === 0 ? undefined : [...new Set(names)].sort());
    skip = type === '5' ? 0 : padded(next.size ?? size);
    next = NONE;
  };
  return (chunk) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const passed = Math.min(skip, chunk.byteLength - at);
      skip -= passed;
      at += passed;
      position += passed;
      const have = parts.reduce((sum, part) => sum + part.byteLength, 0);
      const part = chunk.subarray(at, at + wanted - have);
      if (skip > 0 || part.byteLength === 0) continue;
      parts.push(part);
      at += part.byteLength;
      position += part.byteLength;
      if (have + part.byteLength < wanted) continue;
      const block = Buffer.concat(parts);
      parts = [];
      take(block);
    }
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

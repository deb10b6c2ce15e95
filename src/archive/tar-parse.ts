import { MOST_PAX_BYTES, parsePax } from './pax-records.js';
import { BLOCK, isZero, parseBlock, type TarBlock } from './tar-block.js';
import type { TarHead } from './tar-entry.js';
import { refused } from './tar-fault.js';
import { type Extensions, headOf } from './tar-meaning.js';
import type { TarProfile } from './tar-profile.js';
import { treeRules } from './tar-tree.js';

/** Hears what is in a tar, in its order. */
export interface TarSink {
  begin(head: TarHead): void;
  /** A part of the content. The bytes are the caller's again afterwards. */
  data(bytes: Uint8Array): void;
  /** After `begin`, and after all content. */
  end(): void;
}

export interface TarParser {
  push(bytes: Uint8Array): void;
  /** Must be called behind the last byte. */
  finish(): void;
}

/** What the next bytes are. */
type State = 'header' | 'content' | 'extension' | 'padding' | 'end';

/**
 * Reads an uncompressed tar of whoever has made it, without waiting. It takes in what every reader understands in the same
 * way and refuses the rest: `push` and `finish` throw `ARCHIVE_INVALID`, with the rule in `details.rule`, before the sink
 * hears of what is wrong, and what the sink throws. Memory does not grow with contents.
 */
export function tarParser(profile: TarProfile, sink: TarSink): TarParser {
  const check = profile.layered ? undefined : treeRules();
  const partial = Buffer.alloc(BLOCK);
  let [filled, total, entries, left, padding] = [0, 0, 0, 0, 0];
  let state: State = 'header';
  let zeros = 0;
  let extensions: Extensions = {};
  let extension: { readonly flag: string; readonly parts: Uint8Array[] } | undefined;

  const begin = (header: TarBlock, offset: number) => {
    left = header.size;
    if (EXTENSIONS.has(header.flag)) {
      requireExtension(header, extensions);
      extension = { flag: header.flag, parts: [] };
      state = 'extension';
    } else {
      const head = headOf(header, extensions, offset, profile);
      entries += 1;
      if (entries > profile.mostEntries) throw refused('bomb', `it has more than ${profile.mostEntries} entries`);
      if (offset + head.entry.size > profile.most) throw tooLarge(profile);
      check?.(head.entry);
      left = head.entry.size;
      extensions = {};
      sink.begin(head);
      state = 'content';
    }
    padding = (BLOCK - (left % BLOCK)) % BLOCK;
    if (left === 0) endContent();
  };

  const endContent = () => {
    if (state === 'content') sink.end();
    else if (extension !== undefined) extensions = extended(extensions, extension.flag, Buffer.concat(extension.parts));
    extension = undefined;
    state = padding === 0 ? 'header' : 'padding';
  };

  const block = (bytes: Buffer, offset: number) => {
    if (!isZero(bytes)) {
      if (zeros === 1) throw refused('trailing', 'a block of zeros is followed by more');
      begin(parseBlock(bytes), offset);
      return;
    }
    if (Object.keys(extensions).length > 0)
      throw refused('ambiguous', 'a header that belongs to an entry is the last one');
    zeros += 1;
    if (zeros === 2) state = 'end';
  };

  /** Takes what belongs together from the beginning of these bytes, and tells how many they are. */
  const take = (bytes: Buffer, at: number): number => {
    const here = bytes.byteLength - at;
    if (state === 'end') {
      if (!isZero(bytes, at)) throw refused('trailing', 'something follows the end of the archive');
      return here;
    }
    if (state === 'header') {
      if (filled === 0 && here >= BLOCK) {
        block(bytes.subarray(at, at + BLOCK), total + at + BLOCK);
        return BLOCK;
      }
      const count = Math.min(BLOCK - filled, here);
      bytes.copy(partial, filled, at, at + count);
      filled += count;
      if (filled === BLOCK) {
        filled = 0;
        block(Buffer.from(partial), total + at + count);
      }
      return count;
    }
    if (state === 'padding') {
      const count = Math.min(padding, here);
      if (!isZero(bytes, at, at + count))
        throw refused('trailing', 'what fills up the last block of a content is not zero');
      padding -= count;
      if (padding === 0) state = 'header';
      return count;
    }
    const count = Math.min(left, here);
    const part = bytes.subarray(at, at + count);
    if (state === 'content') sink.data(part);
    else extension?.parts.push(Buffer.from(part));
    left -= count;
    if (left === 0) endContent();
    return count;
  };

  return {
    push(chunk) {
      if (total + chunk.byteLength > profile.most) throw tooLarge(profile);
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (let at = 0; at < bytes.byteLength; ) at += take(bytes, at);
      total += bytes.byteLength;
    },
    finish() {
      if (total === 0) throw refused('empty', 'it is empty');
      const between = state === 'header' && filled === 0 && zeros === 0 && Object.keys(extensions).length === 0;
      if (state !== 'end' && !(between && profile.endless))
        throw refused('truncated', `it is cut off behind ${total} bytes`);
      if (total % BLOCK !== 0) throw refused('truncated', `its ${total} bytes are no whole blocks`);
    },
  };
}

const EXTENSIONS: ReadonlySet<string> = new Set(['x', 'g', 'L', 'K']);

/** Names of GNU are at most as long as a path of Linux. */
const MOST_GNU_BYTES = 4097;

/** Two headers that say the same thing, or one for which the order counts, are read differently by different readers. */
function requireExtension({ flag, size }: TarBlock, { pax, name, link }: Extensions): void {
  const kind = `a header of the type ${flag}`;
  const gnu = flag === 'L' || flag === 'K';
  const isAlone = gnu ? pax === undefined && (flag === 'L' ? name : link) === undefined : !(pax ?? name ?? link);
  if (!isAlone)
    throw refused(
      pax !== undefined && flag === 'x' ? 'pax' : 'ambiguous',
      `${kind} follows another one for the same entry`,
    );
  if (size === 0) throw refused(gnu ? 'ambiguous' : 'pax', `${kind} is empty`);
  const most = gnu ? MOST_GNU_BYTES : MOST_PAX_BYTES;
  if (size > most) throw refused(gnu ? 'name' : 'pax', `${kind} has ${size} bytes, more than ${most}`);
}

function extended(before: Extensions, flag: string, bytes: Buffer): Extensions {
  if (flag === 'x') return { pax: parsePax(bytes) };
  if (flag === 'L') return { ...before, name: gnuText(bytes) };
  if (flag === 'K') return { ...before, link: gnuText(bytes) };
  // What `git archive` writes, and nothing that would hold for the entries behind it.
  const key = [...parsePax(bytes).keys()].find((name) => name !== 'comment');
  if (key === undefined) return before;
  throw refused('ambiguous', `a global header sets ${key} for all that follow`);
}

function gnuText(bytes: Buffer): Buffer {
  const text = bytes[bytes.byteLength - 1] === 0 ? bytes.subarray(0, -1) : bytes;
  if (text.byteLength > 0 && !text.includes(0)) return text;
  throw refused('name', 'a long name is empty or has a NUL in it', text.toString('latin1', 0, 200));
}

function tooLarge({ most }: TarProfile) {
  return refused('bomb', `it holds more than ${most} bytes`);
}

import type { Content, TarEntry } from './tar-entry.js';
import { END_OF_TAR, encodeHeader, paddingOf } from './tar-header.js';

/**
 * A tar of these entries in the order given: for the same entries always the same bytes.
 * Headers are ustar, with a pax header only where ustar cannot hold a value. Ends with two zero blocks and nothing more.
 */
export async function* writeTar(
  parts: AsyncIterable<readonly [TarEntry, Content?]> | Iterable<readonly [TarEntry, Content?]>,
): AsyncGenerator<Uint8Array> {
  for await (const [entry, content] of parts) {
    yield encodeHeader(entry);
    if (content instanceof Uint8Array) yield content;
    else if (content !== undefined) yield* content;
    const padding = paddingOf(entry.size);
    if (padding.byteLength > 0) yield padding;
  }
  yield END_OF_TAR;
}

/** Orders names by their UTF-8 bytes, as every tool and language can (JavaScript's own order differs beyond U+FFFF). */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates (U+10000 and above) come after all other UTF-16 units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

import type { Descriptor } from './descriptor.js';
import { digestOf } from './digest.js';
import type { Json } from './error.js';

/** A parsed value with the exact bytes it came from or goes out as. Bytes are never made anew from the value. */
export interface Document<T> {
  readonly value: T;
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** The document of a value of our own: canonical bytes, so that equal values have equal digests. */
export function documentOf<T>(value: T, mediaType: string): Document<T> {
  return documentFrom(value, encoder.encode(canonicalJson(value as Json)), mediaType);
}

/** The document of a value that was parsed from these bytes. */
export function documentFrom<T>(value: T, bytes: Uint8Array, mediaType: string): Document<T> {
  return { value, bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } };
}

/** JSON with sorted keys and no white space (RFC 8785, for the values that JSON.parse can give). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as Json)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item as Json)}`).join(',')}}`;
}

const encoder = new TextEncoder();

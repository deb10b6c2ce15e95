import { type ErrorCode, fail, type Json } from './error.js';
import { oddityOf } from './json-members.js';

export type JsonObject = { readonly [key: string]: Json };

/** A JSON value with the place it stands at, so that a complaint can name it: `manifest.json: layers[2].size`. */
export interface Located {
  readonly value: Json | undefined;
  readonly at: string;
  /** The code that a complaint about this document carries. */
  readonly code: ErrorCode;
}

const MAX_DEPTH = 64;

/**
 * Parses bytes as one UTF-8 JSON value of bounded depth, in which no object has a member twice. Throws `code`, naming `at`.
 */
export function parseJson(bytes: Uint8Array, at: string, code: ErrorCode): Located {
  let value: Json;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw fail(code, { what: `${at} is not JSON`, why: cause instanceof Error ? cause.message : undefined, cause });
  }
  if (depthExceeds(value, MAX_DEPTH)) throw fail(code, { what: `${at} is nested more than ${MAX_DEPTH} levels deep` });
  const odd = oddityOf(text);
  if (odd !== undefined) throw fail(code, { what: `${at} ${odd.what}`, why: odd.why });
  return { value, at, code };
}

/** The member of an object, whether it is there or not. */
export function member(parent: Located, key: string): Located {
  const object = asObject(parent);
  const separator = parent.at.includes(': ') ? '.' : ': ';
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return { value, at: `${parent.at}${separator}${key}`, code: parent.code };
}

export function asObject(located: Located): JsonObject {
  const { value } = located;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw complaint(located, 'an object');
}

export function asArray(located: Located): readonly Located[] {
  const { value } = located;
  if (!Array.isArray(value)) throw complaint(located, 'a list');
  return value.map((item, index) => ({ value: item as Json, at: `${located.at}[${index}]`, code: located.code }));
}

export function asString(located: Located): string {
  if (typeof located.value === 'string') return located.value;
  throw complaint(located, 'a string');
}

/** A whole number of zero or more that a double can hold exactly. */
export function asSize(located: Located): number {
  if (typeof located.value === 'number' && Number.isSafeInteger(located.value) && located.value >= 0)
    return located.value;
  throw complaint(located, 'a whole number of at least 0');
}

/** An object whose values are strings. */
export function asStringMap(located: Located): Readonly<Record<string, string>> {
  const entries = Object.keys(asObject(located)).map((key) => [key, asString(member(located, key))] as const);
  return Object.fromEntries(entries);
}

export function asStrings(located: Located): readonly string[] {
  return asArray(located).map(asString);
}

/** Reads a member that may be absent or null. */
export function optional<T>(located: Located, read: (located: Located) => T): T | undefined {
  return located.value === undefined || located.value === null ? undefined : read(located);
}

/** Docker writes `null` where the image-spec leaves a member out. */
export function withoutNulls(object: JsonObject | object): Record<string, Json> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));
}

/** `T` with the members that may be undefined made optional instead. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out members that are undefined, as `exactOptionalPropertyTypes` wants them. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function complaint({ value, at, code }: Located, wanted: string) {
  const found = value === undefined ? 'it is missing' : `found ${JSON.stringify(value).slice(0, 80)}`;
  return fail(code, { what: `${at} must be ${wanted}`, why: found });
}

function depthExceeds(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((item) => depthExceeds(item as Json, levels - 1));
}

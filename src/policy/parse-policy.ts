import { fail } from '../values/error.js';
import { asArray, asObject, type Located, member, parseJson } from '../values/json.js';
import { nearest } from './nearest.js';
import type { Policy } from './policy.js';
import { POLICY_SCHEMA, type Schema } from './schema.js';

/** No policy is longer, in bytes. */
export const MAX_POLICY_BYTES = 64 * 1024;

/** What policies may say one day: to pass over it now would be to say that it holds. */
const NOT_YET: readonly string[] = ['signatures', 'attestations'];

/** Reads a policy of JSON text. `name` is what messages call it. Throws `POLICY_INVALID`. */
export function parsePolicyJson(bytes: Uint8Array, name: string): Policy {
  return policyOf(parseJson(requireShort(bytes, name), name, 'POLICY_INVALID'));
}

/** Throws `POLICY_INVALID` for a text that is longer than any policy. */
export function requireShort(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes.byteLength <= MAX_POLICY_BYTES) return bytes;
  throw fail('POLICY_INVALID', { what: `${name} is too large`, why: `at most ${MAX_POLICY_BYTES} bytes are read` });
}

/** Reads a policy that was parsed already, from whatever. Throws `POLICY_INVALID`, and names the nearest known key for one that is not known. */
export function policyOf(located: Located): Policy {
  const later = Object.keys(asObject(located)).find((key) => NOT_YET.includes(key));
  if (later !== undefined) {
    throw fail('POLICY_INVALID', {
      what: `${located.at} asks for ${later}, which are not supported`,
      why: 'an image that has none would pass',
      fix: `remove \`${later}\` and have them looked at by another tool`,
    });
  }
  requireSchema(located, POLICY_SCHEMA);
  return located.value as Policy;
}

function requireSchema(at: Located, schema: Schema): void {
  const { oneOf, type } = schema;
  const branch = oneOf?.find((one) => one.type === typeOf(at.value));
  if (branch !== undefined) requireSchema(at, branch);
  else if (type !== typeOf(at.value) || type === undefined) throw wrong(at, wordsFor(schema));
  else if (type === 'object') requireMembers(at, schema);
  else if (type === 'array') requireItems(at, schema);
  else if (!fits(at.value as string | number | boolean, schema)) throw wrong(at, wordsFor(schema));
}

function requireMembers(at: Located, { properties = {}, required = [] }: Schema): void {
  const known = Object.keys(properties);
  for (const key of Object.keys(asObject(at))) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (schema === undefined) throw unknownKey(at, key, known);
    requireSchema(member(at, key), schema);
  }
  for (const key of required) if (!Object.hasOwn(asObject(at), key)) throw wrong(member(at, key), 'there');
}

function requireItems(at: Located, { items = {}, maxItems = 0 }: Schema): void {
  const list = asArray(at);
  if (list.length > maxItems) {
    throw fail('POLICY_INVALID', { what: `${at.at} has more than ${maxItems} items`, why: `it has ${list.length}` });
  }
  for (const item of list) requireSchema(item, items);
}

function fits(value: string | number | boolean, schema: Schema): boolean {
  if (typeof value === 'number') return value >= (schema.minimum ?? 0) && value <= (schema.maximum ?? Infinity);
  if (typeof value === 'boolean') return true;
  const { enum: words, pattern, maxLength = Infinity } = schema;
  return (
    (words?.includes(value) ?? true) &&
    (pattern === undefined || new RegExp(pattern).test(value)) &&
    value.length <= maxLength
  );
}

/** Dates, of which TOML has some, and numbers that JSON cannot say are of none of the types. */
function typeOf(value: unknown): Schema['type'] {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : undefined;
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'object' && value !== null && !(value instanceof Date) ? 'object' : undefined;
}

function wordsFor({ type, enum: words, minimum, maximum, pattern, oneOf, maxLength }: Schema): string {
  if (oneOf !== undefined) return oneOf.map(wordsFor).join(' or ');
  if (words !== undefined) return words.map((word) => JSON.stringify(word)).join(' or ');
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`;
  if (type === 'string')
    return pattern === undefined ? `a string of at most ${maxLength} characters` : `a string that matches ${pattern}`;
  return { object: 'an object', array: 'a list', boolean: 'true or false' }[type ?? 'object'];
}

function wrong({ at, value }: Located, wanted: string) {
  const why = value === undefined ? 'it is missing' : `found ${shown(value)}`;
  return fail('POLICY_INVALID', { what: `${at} must be ${wanted}`, why });
}

function shown(value: unknown): string {
  return (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value)).slice(0, 80);
}

function unknownKey({ at }: Located, key: string, known: readonly string[]) {
  const near = nearest(key, known);
  return fail('POLICY_INVALID', {
    what: `${at} has a key that is not known: ${JSON.stringify(key.slice(0, 80))}`,
    why: `known keys: ${known.join(', ')}`,
    fix: near === undefined ? 'correct or remove it' : `did you mean \`${near}\`?`,
  });
}

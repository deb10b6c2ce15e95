import { digestOf, hexOf } from '../values/digest.js';
import type { FileFacts } from './examine.js';
import type { Inventory, InventoryEntry } from './merge.js';

/** Changes when the lists of the same layers are to be made or written in another way. */
export const INVENTORY_FORMAT = 3;

/** A line for each entry: its path, NUL, and the rest as JSON, which has no line break. The first line is the digest of the others. */
export function formatInventory(inventory: Inventory): string {
  const lines = [...inventory].map(([path, entry]) => `${path}\0${JSON.stringify(entry)}\n`).join('');
  return `${hexOf(digestOf(Buffer.from(lines)))}\n${lines}`;
}

/**
 * A list that was kept, if it is as it was written. There are thousands of entries in one, and few are asked for: each is read
 * when it is. A list without entries is made again too: it costs nothing if the layers truly have none.
 */
export function openInventory(bytes: Uint8Array): Inventory | undefined {
  const begin = bytes.indexOf(LINE_BREAK) + 1;
  const seal = Buffer.from(bytes.buffer, bytes.byteOffset, Math.max(begin - 1, 0)).toString('latin1');
  const lines = bytes.subarray(begin);
  if (begin === 0 || lines.byteLength === 0 || seal !== hexOf(digestOf(lines))) return undefined;
  const text = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength).toString();
  return lazily(startsOf(text), (start) => JSON.parse(text.slice(start, text.indexOf('\n', start))) as InventoryEntry);
}

/** Reads a list that somebody else wrote, and believes nothing that the types say of it. */
export function parseInventory(text: string): Inventory | undefined {
  try {
    const listed = [...(openInventory(Buffer.from(text)) ?? [])];
    return listed.length > 0 && listed.every(isListed) ? new Map(listed) : undefined;
  } catch {
    return undefined;
  }
}

const LINE_BREAK = 10;

/** Where the JSON of each path begins. */
function startsOf(text: string): Map<string, number> {
  const starts = new Map<string, number>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\0', at);
    const next = text.indexOf('\n', end);
    if (end === -1 || next === -1) break;
    starts.set(text.slice(at, end), end + 1);
    at = next + 1;
  }
  return starts;
}

/** A map whose values are made of others when they are asked for, once. */
function lazily<V extends object>(from: Map<string, number>, read: (start: number) => V): ReadonlyMap<string, V> {
  const known: Map<string, V | number> = from;
  const get = (key: string) => {
    const value = known.get(key);
    if (typeof value !== 'number') return value;
    const made = read(value);
    known.set(key, made);
    return made;
  };
  function* entries(): MapIterator<[string, V]> {
    for (const key of known.keys()) yield [key, get(key) as V];
  }
  function* values(): MapIterator<V> {
    for (const key of known.keys()) yield get(key) as V;
  }
  const map: ReadonlyMap<string, V> = {
    get,
    has: (key) => known.has(key),
    size: known.size,
    keys: () => known.keys(),
    values,
    entries,
    [Symbol.iterator]: entries,
    forEach: (act) => {
      for (const [key, value] of entries()) act(value, key, map);
    },
  };
  return map;
}

/** What an entry of a list can be. */
const TYPES: ReadonlySet<InventoryEntry['type']> = new Set([
  'file',
  'symlink',
  'character-device',
  'block-device',
  'directory',
  'fifo',
]);

function isListed([path, { type, mode, uid, gid, size, target, facts }]: readonly [string, InventoryEntry]): boolean {
  return (
    typeof path === 'string' &&
    TYPES.has(type) &&
    [mode, uid, gid, size].every(Number.isSafeInteger) &&
    typeof target === (type === 'symlink' ? 'string' : 'undefined') &&
    (facts === undefined || areFacts(facts))
  );
}

function areFacts({ crc, versions = [], packages = {} }: FileFacts): boolean {
  const texts = [...versions, ...Object.values(packages)];
  return Number.isSafeInteger(crc) && Array.isArray(versions) && texts.every((text) => typeof text === 'string');
}

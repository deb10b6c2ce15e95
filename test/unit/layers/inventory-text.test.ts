import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatInventory, openInventory, parseInventory } from '../../../src/layers/inventory-text.js';
import type { Inventory, InventoryEntry } from '../../../src/layers/merge.js';

const entry: fc.Arbitrary<InventoryEntry> = fc.record({
  type: fc.constant('symlink' as const),
  mode: fc.nat(0o7777),
  uid: fc.nat(),
  gid: fc.nat(),
  size: fc.nat(),
  target: fc.string({ unit: 'binary' }),
});
const path = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
const inventory: fc.Arbitrary<Inventory> = fc
  .array(fc.tuple(path, entry), { minLength: 1 })
  .map((entries) => new Map(entries));

describe('a list of files as text', () => {
  it('gives the same entries again, whatever their names', () => {
    fc.assert(
      fc.property(inventory, (list) => {
        const bytes = Buffer.from(formatInventory(list));
        const opened = openInventory(bytes) as Inventory;
        expect([...opened]).toEqual([...list]);
        expect([opened.size, [...opened.keys()], [...opened.values()]]).toEqual([
          list.size,
          [...list.keys()],
          [...list.values()],
        ]);
        expect(parseInventory(bytes.toString())).toEqual(list);
      }),
    );
  });

  it('is a map like others, and reads an entry once', () => {
    const list: Inventory = new Map([['a\nb', { type: 'file', mode: 0o644, uid: 1, gid: 2, size: 3 }]]);
    const opened = openInventory(Buffer.from(formatInventory(list))) as Inventory;
    expect(opened.get('a\nb')).toEqual(list.get('a\nb'));
    expect(opened.get('a\nb')).toBe(opened.get('a\nb'));
    expect([opened.has('a\nb'), opened.has('a'), opened.get('a')]).toEqual([true, false, undefined]);
    const seen: unknown[] = [];
    opened.forEach((value, key, map) => {
      seen.push(key, value, map === opened);
    });
    expect(seen).toEqual(['a\nb', list.get('a\nb'), true]);
  });

  it('is none without entries', () => {
    for (const text of ['', '\n', formatInventory(new Map())]) {
      expect(openInventory(Buffer.from(text))).toBeUndefined();
      expect(parseInventory(text)).toBeUndefined();
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Candidate, chooseToRemove } from '../../../src/cache/choose.js';

const entry = (name: string, used: number, bytes = 10, isKept = false): Candidate => ({
  part: 'blobs',
  name,
  used,
  bytes,
  isKept,
});
const names = (chosen: readonly Candidate[]) => chosen.map(({ name }) => name);

const entries = fc.array(
  fc.record({
    part: fc.constantFrom('blobs', 'roots'),
    name: fc.string({ maxLength: 4 }),
    bytes: fc.nat(100),
    used: fc.nat(1000),
    isKept: fc.boolean(),
  }),
);
const bounds = fc.record({
  maxBytes: fc.option(fc.nat(1500), { nil: undefined }),
  maxAgeMs: fc.option(fc.nat(1000), { nil: undefined }),
  minAgeMs: fc.nat(500),
  now: fc.nat(1000),
});
const sizeOf = (list: readonly Candidate[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);

describe('chooseToRemove', () => {
  it('takes the least recently used until the rest fits', () => {
    const list = [entry('c', 30), entry('a', 10), entry('b', 20)];
    expect(names(chooseToRemove(list, { maxBytes: 15, minAgeMs: 0, now: 100 }))).toEqual(['a', 'b']);
    expect(names(chooseToRemove(list, { maxBytes: 30, minAgeMs: 0, now: 100 }))).toEqual([]);
  });

  it('takes what is too old, and nothing that is too young or kept', () => {
    const list = [entry('a', 10), entry('b', 20, 10, true), entry('c', 95)];
    expect(names(chooseToRemove(list, { maxAgeMs: 50, minAgeMs: 10, now: 100 }))).toEqual(['a']);
    expect(names(chooseToRemove(list, { maxBytes: -1, minAgeMs: 10, now: 100 }))).toEqual(['a']);
    expect(names(chooseToRemove(list, { maxBytes: -1, minAgeMs: 0, now: 100 }))).toEqual(['a', 'c']);
  });

  it('FLT-10 takes what was used in the future for used just now', () => {
    const list = [entry('a', 10_000)];
    expect(chooseToRemove(list, { maxAgeMs: 0, minAgeMs: 1, now: 100 })).toEqual([]);
  });

  it('keeps its bounds, whatever there is', () => {
    fc.assert(
      fc.property(entries, bounds, (list, bound) => {
        const { maxBytes = Number.POSITIVE_INFINITY, maxAgeMs = Number.POSITIVE_INFINITY, minAgeMs, now } = bound;
        const chosen = chooseToRemove(list, bound);
        const left = list.filter((one) => !chosen.includes(one));
        const age = ({ used }: Candidate) => Math.max(0, now - used);
        const mayGo = (one: Candidate) => !one.isKept && age(one) >= minAgeMs;
        expect(chosen.filter((one) => !mayGo(one))).toEqual([]);
        // Whatever may go and is too old has gone; the rest fits, or nothing may go any more.
        expect(left.filter((one) => mayGo(one) && age(one) > maxAgeMs)).toEqual([]);
        if (left.some(mayGo)) expect(sizeOf(left)).toBeLessThanOrEqual(maxBytes);
        // Nothing was used before something that is left and that may go, and no more goes than must.
        const tooBig = chosen.filter((one) => age(one) <= maxAgeMs);
        const last = tooBig.at(-1);
        if (last !== undefined) {
          expect(sizeOf(left) + last.bytes).toBeGreaterThan(maxBytes);
          expect(left.filter((one) => mayGo(one) && one.used < last.used)).toEqual([]);
        }
      }),
    );
  });
});

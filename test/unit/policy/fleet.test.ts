import { describe, expect, it } from '@jest/globals';
import { checkFleet, countBases } from '../../../src/policy/rules/base.js';
import type { KnownBase } from '../../../src/policy/scan.js';
import { fromHex } from '../../../src/values/digest.js';

const on = (digit: string): KnownBase => ({ layers: 1, digests: [fromHex(digit.repeat(64))], isProved: true });

describe('a fleet', () => {
  it('RST-5 is told by base, with how many images stand on each', () => {
    expect(countBases([on('b'), on('a'), on('b'), undefined])).toEqual({
      [`sha256:${'a'.repeat(64)}`]: 1,
      [`sha256:${'b'.repeat(64)}`]: 2,
      unknown: 1,
    });
  });

  it('RST-5 may stand on as many bases as the policy says, and on no more', () => {
    const policy = { bases: { maxDistinct: 2 } };
    expect(checkFleet([on('a'), on('b'), on('a')], policy)).toEqual([]);
    expect(checkFleet([on('a'), on('b'), on('c')], policy)).toMatchObject([{ code: 'RST_BASES', got: 3, limit: 2 }]);
    expect(checkFleet([on('a'), on('b'), undefined], policy)).toMatchObject([{ code: 'RST_BASES', got: 3 }]);
    expect(checkFleet([on('a'), on('b'), on('c')], {})).toEqual([]);
  });

  it('RST-5 whose images are of one index stands on one base, whatever the platforms', () => {
    const index = fromHex('f'.repeat(64));
    const images = ['a', 'b'].map((digit) => ({ ...on(digit), digests: [fromHex(digit.repeat(64)), index] }));
    expect(checkFleet(images, { bases: { maxDistinct: 1 } })).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareVersions, packageDelta } from '../../../src/oci/package-delta.js';

describe('packageDelta', () => {
  it('tells what went up, what went down, what came and what went', () => {
    const before = { bash: '5.2.15-2', libssl3: '3.0.9-1', 'gone-1': '1', tz: '2024a-1' };
    const after = { bash: '5.2.15-2', libssl3: '3.0.11-1~deb12u2', new: '0', tz: '2023d-1' };
    expect(packageDelta(before, after)).toEqual({
      upgraded: [{ name: 'libssl3', before: '3.0.9-1', after: '3.0.11-1~deb12u2' }],
      downgraded: [{ name: 'tz', before: '2024a-1', after: '2023d-1' }],
      added: [{ name: 'new', version: '0' }],
      removed: [{ name: 'gone-1', version: '1' }],
    });
  });
});

describe('compareVersions', () => {
  it.each([
    ['1.0', '1.0', 0],
    ['1.9', '1.10', -1],
    ['1:0.1', '2.0', 1],
    ['1.0~rc1', '1.0', -1],
    ['1.0~~', '1.0~', -1],
    ['1.0+b1', '1.0', 1],
    ['1.0a', '1.0+', -1],
    ['1.0-1', '1.0-2', -1],
    ['1.0', '1.0-0', 0],
    ['1.01', '1.1', 0],
    ['2.36-9+deb12u10', '2.36-9+deb12u9', 1],
    ['20230311', '20230311+deb12u1', -1],
    ['99999999999999999999', '100000000000000000000', -1],
  ])('compares %s with %s', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order);
    expect(Math.sign(compareVersions(b, a)) + 0).toBe(-order + 0);
  });

  it('is an order', () => {
    const version = fc.stringMatching(/^(\d:)?\d[0-9a-z.+~]{0,6}(-[0-9a-z+.~]{1,4})?$/);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { alignHistory } from '../../../src/oci/history.js';

const entry = fc.record({ created_by: fc.string(), empty_layer: fc.boolean() }, { requiredKeys: [] });

describe('alignHistory', () => {
  it('leaves a history alone that fits', () => {
    const history = [{ created_by: 'a' }, { created_by: 'b', empty_layer: true }, { created_by: 'c' }];
    expect(alignHistory(history, 2)).toEqual(history);
  });

  it('fills in what is missing', () => {
    expect(alignHistory([{ created_by: 'a' }], 3)).toHaveLength(3);
  });

  it('marks what is too much as empty, the uppermost first', () => {
    expect(alignHistory([{ created_by: 'a' }, { created_by: 'b' }], 1)).toEqual([
      { created_by: 'a' },
      { created_by: 'b', empty_layer: true },
    ]);
  });

  it('accounts for every layer, loses no entry, and changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(entry), fc.nat({ max: 8 }), (history, layers) => {
        const aligned = alignHistory(history, layers);
        expect(aligned.filter(({ empty_layer }) => empty_layer !== true)).toHaveLength(layers);
        expect(aligned.length).toBeGreaterThanOrEqual(history.length);
        expect(alignHistory(aligned, layers)).toEqual(aligned);
      }),
    );
  });
});

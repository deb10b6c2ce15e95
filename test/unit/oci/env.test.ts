import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { envRecord, overlayEnv } from '../../../src/oci/env.js';

describe('overlayEnv', () => {
  it('keeps the order of the base and sorts what is new', () => {
    expect(overlayEnv(['Z=1', 'A=2'], { Y: '3', B: '4', Z: '5' }).env).toEqual(['Z=5', 'A=2', 'B=4', 'Y=3']);
  });

  it('sets a name once that the base has twice', () => {
    expect(overlayEnv(['A=1', 'B=1', 'A=2'], { A: '3' })).toEqual({ env: ['A=3', 'B=1'], collisions: ['A'] });
  });

  it('leaves odd entries of the base alone that it does not name', () => {
    expect(overlayEnv(['', '=x', 'A', 'A=1'], { B: '1' }).env).toEqual(['', '=x', 'A', 'A=1', 'B=1']);
  });

  it('calls it no collision when the base has the same value', () => {
    expect(overlayEnv(['A=1'], { A: '1' }).collisions).toEqual([]);
  });

  it('gives the overlay, and the base where the overlay says nothing', () => {
    const name = fc.constantFrom('A', 'B', 'C', '__proto__', 'constructor');
    const base = fc.array(fc.tuple(name, fc.string()).map(([key, value]) => `${key}=${value}`));
    const overlay = fc.dictionary(name, fc.option(fc.string()), { noNullPrototype: true });
    fc.assert(
      fc.property(base, overlay, (env, over) => {
        const wanted = new Map(Object.entries(envRecord(env)));
        for (const [key, value] of Object.entries(over)) {
          if (value === null) wanted.delete(key);
          else wanted.set(key, value);
        }
        const found = Object.entries(envRecord(overlayEnv(env, over).env));
        expect(new Map(found)).toEqual(wanted);
      }),
    );
  });
});

describe('envRecord', () => {
  it('splits at the first equals sign, and the last entry of a name wins', () => {
    expect(envRecord(['A=1=2', 'B', 'A=3=4', '=x'])).toEqual({ A: '3=4', B: '', '': 'x' });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseChallenges } from '../../../src/registry/challenge.js';

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('a challenge', () => {
  it('has a scheme and parameters, in quotes or without', () => {
    expect(read('Bearer realm="https://a.example/token",service="x, y",scope="repository:a/b:pull,push"')).toEqual([
      ['bearer', { realm: 'https://a.example/token', service: 'x, y', scope: 'repository:a/b:pull,push' }],
    ]);
    expect(read('BASIC Realm=plain')).toEqual([['basic', { realm: 'plain' }]]);
    expect(read('Bearer realm="a\\"b"')).toEqual([['bearer', { realm: 'a"b' }]]);
  });

  it('may be one of several', () => {
    expect(read('Negotiate, Basic realm="a", Bearer realm="b" , service="c"')).toEqual([
      ['negotiate', {}],
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b', service: 'c' }],
    ]);
  });

  it('is nothing where it cannot be read', () => {
    expect(read('')).toEqual([]);
    expect(read('"')).toEqual([]);
    expect(read(`Bearer realm="${'x'.repeat(9000)}"`)).toEqual([]);
  });

  it('of any form is read in no time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', 'a', 'Bearer '), maxLength: 2000 }),
        (header) => {
          const before = performance.now();
          parseChallenges(header);
          expect(performance.now() - before).toBeLessThan(10_000);
        },
      ),
    );
  });
});

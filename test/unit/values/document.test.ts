import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../../src/values/digest.js';
import { canonicalJson, documentFrom, documentOf } from '../../../src/values/document.js';
import type { Json } from '../../../src/values/error.js';

/** The same value with the members of every object in another order. */
function reordered(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => reordered(item as Json));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reordered(item as Json)]),
  );
}

describe('canonicalJson', () => {
  it('sorts members at all depths and writes no white space', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true, é: 1, Z: 2 })).toBe(
      '{"Z":2,"a":true,"b":[1,{"c":"x","d":null}],"é":1}',
    );
  });

  it('leaves out members that are undefined', () => {
    expect(canonicalJson({ a: undefined, b: 1 } as unknown as Json)).toBe('{"b":1}');
  });

  it('means the same and is the same, in whatever order members come', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as Json);
        expect(canonicalJson(reordered(value as Json))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('documents', () => {
  it('describe their own bytes', () => {
    const { bytes, descriptor } = documentOf({ b: 1, a: 2 }, 'x/y');
    expect(Buffer.from(bytes).toString()).toBe('{"a":2,"b":1}');
    expect(descriptor).toEqual({ mediaType: 'x/y', digest: digestOf(bytes), size: bytes.byteLength });
  });

  it('keep the bytes they were read from', () => {
    const bytes = Buffer.from(' {"é": 1} ');
    expect(documentFrom({ é: 1 }, bytes, 'x/y')).toMatchObject({ bytes, descriptor: { size: bytes.byteLength } });
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  digestOf,
  fromHex,
  hexOf,
  isDigest,
  parseDiffId,
  parseDigest,
  shortDigest,
} from '../../../src/values/digest.js';

const hex = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('digests', () => {
  it('are the sha256 of the bytes', () => {
    expect(digestOf(Buffer.from('abc'))).toBe(`sha256:${hex}`);
    expect(hexOf(fromHex(hex))).toBe(hex);
    expect(shortDigest(fromHex(hex))).toBe('sha256:ba7816bf8f01');
  });

  it.each([
    '',
    hex,
    `sha256:${hex.toUpperCase()}`,
    `SHA256:${hex}`,
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}\n`,
    `sha512:${hex}`,
    `sha256:../../${hex.slice(6)}`,
    undefined,
    null,
    5,
    [`sha256:${hex}`],
  ])('are not %j', (text) => {
    expect(isDigest(text)).toBe(false);
    for (const parse of [parseDigest, parseDiffId]) {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));
    }
  });

  it('are named in an error in part only, when what was given is long', () => {
    expect(() => parseDigest('x'.repeat(10_000))).toThrow(/^.{0,150}$/);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeRedactor, redacted, secretsOf } from '../../../src/buildpack/redactor.js';

/** What comes out when a text comes in pieces, cut at these places. */
function inPieces(text: string, secrets: readonly Buffer[], cuts: readonly number[]): string {
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const redactor = makeRedactor(secrets);
  const parts = ends.map((end, index) => redactor.push(bytes.subarray(ends[index - 1] ?? 0, end)));
  return Buffer.concat([...parts, redactor.end()]).toString();
}

const secrets = (...values: readonly string[]) => secretsOf(Object.fromEntries(values.map((value, at) => [at, value])));

describe('secretsOf', () => {
  it('takes values of 8 bytes or more', () => {
    expect(secrets('1234567', '12345678', 'äöü€').map(String)).toEqual(['12345678', 'äöü€']);
  });

  it('takes a value of several lines as a whole and line by line, without line feeds at its end', () => {
    const found = secrets('first line\nshort\nthird line\n').map(String);
    expect(found).toEqual(['first line\nshort\nthird line', 'first line', 'third line']);
  });
});

describe('makeRedactor', () => {
  it.each([
    ['token=verysecret!', 'token=<redacted>!'],
    ['verysecretverysecret', '<redacted><redacted>'],
    ['verysecre', 'verysecre'],
    ['veryveryverysecret', 'veryvery<redacted>'],
    ['verysecret-and-more', '<redacted>'],
    ['xx verysecret-and-mor', 'xx <redacted>-and-mor'],
  ])('makes %j to %j, however it is cut', (text, wanted) => {
    const known = secrets('verysecret', 'verysecret-and-more');
    for (let cut = 0; cut <= text.length; cut += 1) expect(inPieces(text, known, [cut])).toBe(wanted);
    expect(inPieces(text, known, [...[...text].keys()])).toBe(wanted);
  });

  it('hides secrets that overlap as one', () => {
    expect(inPieces('<abcdefghijkl>', secrets('abcdefgh', 'efghijkl'), [3, 7, 10])).toBe('<<redacted>>');
  });

  it('remembers what is hidden when a piece lets nothing out', () => {
    const known = secrets('aaaaaaaab', 'baaaaaaab');
    for (const text of ['aaaaaaaabaaaaaaabb', 'aaaaaaaabaaaaaaaba']) {
      expect(inPieces(text, known, [...[...text].keys()])).toBe(redacted(text, known));
    }
  });

  it('gives what cannot become a secret at once', () => {
    const redactor = makeRedactor(secrets('verysecret'));
    expect(Buffer.from(redactor.push(Buffer.from('asking for a very'))).toString()).toBe('asking for a ');
    expect(Buffer.from(redactor.push(Buffer.from(' good name\n'))).toString()).toBe('very good name\n');
  });

  it('holds back less than a secret has, whatever comes', () => {
    const redactor = makeRedactor(secrets('aaaaaaaa'));
    expect(Buffer.from(redactor.push(Buffer.alloc(100_000, 'a'))).toString()).toBe('<redacted>');
    expect(Buffer.from(redactor.push(Buffer.alloc(100_000, 'a'))).toString()).toBe('');
    expect(Buffer.from(redactor.push(Buffer.from('b'))).toString()).toBe('b');
  });

  it('gives bytes as they are when there is nothing to hide', () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    expect(makeRedactor([]).push(bytes)).toBe(bytes);
  });

  it('gives the same for any cuts, and no secret', () => {
    const letters = (length: { minLength: number; maxLength: number }) =>
      fc.array(fc.constantFrom('a', 'b'), length).map((all) => all.join(''));
    fc.assert(
      fc.property(
        fc.array(letters({ minLength: 8, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
        letters({ minLength: 0, maxLength: 60 }),
        fc.array(fc.nat(60)),
        (values, text, cuts) => {
          const known = secrets(...values);
          const whole = redacted(text, known);
          expect(inPieces(text, known, cuts)).toBe(whole);
          for (const value of values) expect(whole).not.toContain(value);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

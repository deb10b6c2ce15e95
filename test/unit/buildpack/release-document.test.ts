import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRelease } from '../../../src/buildpack/release-document.js';
import { PackBuildError } from '../../../src/values/error.js';

const parse = (text: string) => parseRelease(Buffer.from(text), 'shop/pack');

function why(text: string): string | undefined {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof PackBuildError)) throw error;
    expect(error.code).toBe('RELEASE_MALFORMED');
    expect(error.message).toBe('shop/pack printed a bin/release document pack-build cannot read');
    return error.why;
  }
  throw new Error('it did not fail');
}

describe('parseRelease', () => {
  it.each([
    '',
    '\n',
    '---',
    '---\n',
    '--- {}\n',
    '--- {}\n\n',
    '---\n...\n',
    'addons: []',
    'addons:\nconfig_vars:\n',
    '{}',
    'null',
    '~',
    '# x',
    '--- \naddons: \n- \n'.slice(0, 12),
  ])('R77 takes %j for no defaults', (text) => {
    expect(parse(text)).toEqual({ processes: new Map(), addons: [], configVars: new Map() });
  });

  it.each([
    ['a mapping without a start', 'default_process_types:\n  web: npm start\n  console: bash\n'],
    ['what Ruby prints', '---\ndefault_process_types:\n  web: npm start\n  console: bash\n'],
    ['JSON', '{"default_process_types":{"web":"npm start","console":"bash"},"addons":null}'],
    ['quotes and carriage returns', '---\r\ndefault_process_types:\r\n  web: "npm start"\r\n  console: \'bash\'\r\n'],
    ['a folded command', 'default_process_types:\n  web: >\n    npm\n    start\n  console: bash\n'],
    ['unknown keys', 'language: x\ndefault_process_types: {web: npm start, console: bash}\n'],
  ])('R77 reads %s', (_, text) => {
    expect([...parse(text).processes]).toEqual([
      ['web', 'npm start'],
      ['console', 'bash'],
    ]);
  });

  it('R79 keeps add-ons and config vars as the text that is written', () => {
    const text =
      'addons: [a:b, c]\nconfig_vars: {NO: no, MODE: 0777, E: 1e10, DAY: 2020-01-01, EMPTY: "", NOTHING: }\n';
    const { addons, configVars } = parse(text);
    expect(addons).toEqual(['a:b', 'c']);
    expect([...configVars]).toEqual([
      ['NO', 'no'],
      ['MODE', '0777'],
      ['E', '1e10'],
      ['DAY', '2020-01-01'],
      ['EMPTY', ''],
      ['NOTHING', ''],
    ]);
  });

  it.each([
    ['web: [npm', 'line 1:'],
    ['- web', 'line 1: found a list where a mapping must be'],
    ['web', 'line 1: found `web` where a mapping must be'],
    ['default_process_types: [web]', 'line 1: `default_process_types` must be a mapping, found a list'],
    ['default_process_types: npm start', 'line 1: `default_process_types` must be a mapping, found `npm start`'],
    [
      '---\ndefault_process_types:\n  web: [npm, start]',
      'line 3: `web: [npm, start]` - a process command must be a string',
    ],
    ['default_process_types:\n  web:\n', 'line 2: process type `web` has no command'],
    ['default_process_types:\n  web: null\n', 'line 2: process type `web` has no command'],
    ['default_process_types: {"a b": x}', 'line 1: `a b` is not a process type'],
    ['default_process_types: {[a]: x}', 'line 1: the keys of `default_process_types` must be strings'],
    ['default_process_types: {web: "a\\0b"}', 'line 1: the command of `web` contains a NUL byte'],
    ['addons: x', 'line 1: `addons` must be a list, found `x`'],
    ['addons: [{a: b}]', 'line 1: `addons` must be a list of strings'],
    ['config_vars: {A B: x}', 'line 1: `A B` cannot name an environment variable'],
    ['config_vars: {A: [x]}', 'line 1: `A: [x]` - a config var must be a string'],
    ['web: a\nweb: b', 'line 2: Map keys must be unique'],
    ['a: 1\n---\nb: 2', 'line 2:'],
    ['default_process_types:\n\tweb: x', 'line 2:'],
    ['default_process_types: !ruby/object {web: x}', 'line 1: Unresolved tag'],
    ['default_process_types: {web: !!js/function x}', 'line 1: Unresolved tag'],
  ])('R77 BP-1 refuses %j', (text, expected) => {
    expect(why(text)).toContain(expected);
  });

  it.each([
    ['an alias', 'a: &a x\ndefault_process_types: {web: *a}'],
    ['an alias to itself', '&a a: *a'],
    [
      'an alias bomb',
      `a: &a [x]\n${Array.from({ length: 9 }, (_, i) => `b${i}: &b${i} [${'*a,'.repeat(9)}]`).join('\n')}\ndefault_process_types: *b8`,
    ],
    ['forty thousand brackets', '['.repeat(40_000)],
    ['forty thousand braces', '{a: '.repeat(12_000)],
    ['too much', 'a'.repeat(70_000)],
  ])('BP-1 refuses %s, soon', (_, text) => {
    const begun = performance.now();
    expect(why(text)).toBeDefined();
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('BP-1 refuses what is not text', () => {
    expect(() => parseRelease(new Uint8Array([0xff]), 'shop/pack')).toThrow('cannot read');
  });

  it('BP-2 takes the names of built-in properties for names', () => {
    const { processes, configVars } = parse(
      'default_process_types: {__proto__: a, constructor: b}\nconfig_vars: {__proto__: c}',
    );
    expect([...processes]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect([...configVars]).toEqual([['__proto__', 'c']]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('reads every command that JSON can write', () => {
    const command = fc
      .string({ unit: 'grapheme' })
      .map((text) => text.replaceAll('\0', '').trim())
      .filter((text) => text !== '');
    fc.assert(
      fc.property(command, (web) => {
        expect(parse(JSON.stringify({ default_process_types: { web } })).processes.get('web')).toBe(web);
      }),
    );
  });

  it('throws nothing but its own error on any bytes', () => {
    const pieces = fc.array(
      fc.constantFrom(
        'default_process_types',
        ':',
        ' ',
        '\n',
        '  ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '"',
        "'",
        '&a',
        '*a',
        '!x',
        '|',
        '>',
        '---',
        'web',
        '\t',
        '?',
        '#',
      ),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          parse(parts.join(''));
        } catch (error) {
          expect(error).toMatchObject({ code: 'RELEASE_MALFORMED' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

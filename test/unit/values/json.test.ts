import { describe, expect, it } from '@jest/globals';
import {
  asArray,
  asSize,
  asString,
  asStringMap,
  asStrings,
  defined,
  type Located,
  member,
  optional,
  parseJson,
} from '../../../src/values/json.js';

const read = (text: string | Uint8Array) => parseJson(Buffer.from(text as string), 'a.json', 'CONFIG_INVALID');
const refused = (message: string) => expect.objectContaining({ code: 'CONFIG_INVALID', message });

describe('parseJson', () => {
  it.each(['', '{', '{"a":1}x', "{'a':1}", '\ufeff{}', 'NaN'])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(refused('a.json is not JSON'));
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => read(Buffer.from([0x22, 0xff, 0x22]))).toThrow(refused('a.json is not JSON'));
  });

  it('takes 64 levels and no more', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(asArray(read(nested(64)))).toHaveLength(1);
    expect(() => read(nested(65))).toThrow(refused('a.json is nested more than 64 levels deep'));
    expect(() => read(nested(50_000))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('what stands in a document', () => {
  const root = read('{"list":[{"size":1},{"size":-1}],"map":{"a":"x","b":2},"null":null,"__proto__":"own"}');

  it.each<readonly [string, (root: Located) => unknown, string]>([
    ['a missing member', (it) => asString(member(it, 'none')), 'a.json: none must be a string'],
    ['an inherited member', (it) => asString(member(it, 'toString')), 'a.json: toString must be a string'],
    [
      'a member of an item',
      (it) => asArray(member(it, 'list')).map((item) => asSize(member(item, 'size'))),
      'a.json: list[1].size must be a whole number of at least 0',
    ],
    ['a value of a map', (it) => asStringMap(member(it, 'map')), 'a.json: map.b must be a string'],
    ['an item of a list', (it) => asStrings(member(it, 'list')), 'a.json: list[0] must be a string'],
    ['a member of no object', (it) => member(member(it, 'list'), 'x'), 'a.json: list must be an object'],
    ['a list that is none', (it) => asArray(member(it, 'map')), 'a.json: map must be a list'],
  ])('is named where it is wrong: %s', (_, use, message) => {
    expect(() => use(root)).toThrow(refused(message));
  });

  it('is absent when it is null', () => {
    expect(optional(member(root, 'null'), asString)).toBeUndefined();
    expect(optional(member(root, 'none'), asString)).toBeUndefined();
  });

  it('is its own also under a name that JavaScript has a meaning for', () => {
    expect(asString(member(root, '__proto__'))).toBe('own');
    expect(Object.entries(asStringMap(read('{"__proto__":"x"}')))).toEqual([['__proto__', 'x']]);
  });

  it.each(['1.5', '-1', '9007199254740992', '"1"', 'true', '1e400'])('is no size when it is %s', (text) => {
    expect(() => asSize(read(text))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('defined', () => {
  it('leaves out what is undefined and keeps what is null, empty or zero', () => {
    expect(Object.keys(defined({ a: undefined, b: null, c: '', d: 0 }))).toEqual(['b', 'c', 'd']);
  });
});

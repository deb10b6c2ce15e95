import { describe, expect, it } from '@jest/globals';
import { classOfUser, userRules } from '../../../src/policy/rules/user.js';

describe('classOfUser', () => {
  it.each([
    ['4294967296', 'invalid'],
    ['4294967295', 'invalid'],
    ['2147483648', 'invalid'],
    ['2147483647', 'numeric'],
    ['-1', 'invalid'],
    ['0x0', 'invalid'],
    ['+0', 'invalid'],
    ['1e3', 'invalid'],
    ['0', 'root'],
    ['000', 'root'],
    ['', 'root'],
    ['root', 'root'],
    ['root:1000', 'root'],
    ['0:1000', 'root'],
    ['1000:0', 'root'],
    ['1000:root', 'root'],
    ['nobody:0', 'root'],
    ['nobody', 'named'],
    ['1000:staff', 'named'],
    ['1000', 'numeric'],
    ['1000:1000', 'numeric'],
    ['1000:', 'invalid'],
    [':1000', 'invalid'],
    ['1000:1000:1000', 'invalid'],
    ['1000 ', 'invalid'],
    ['1000\n', 'invalid'],
    ['１０００', 'invalid'],
    ['__proto__', 'named'],
  ])('RST-2 takes %j for %s', (text, kind) => {
    expect(classOfUser(text)).toBe(kind);
  });
});

describe('userRules', () => {
  const codes = (user: string, rules: Parameters<typeof userRules>[1]) =>
    userRules(user, rules).map(({ code }) => code);

  it('RST-2 refuses what is root by another name, and what wraps around to it', () => {
    for (const user of ['', '0', 'root', '00:5', '1000:0', 'nobody:0'])
      expect(codes(user, { forbidRoot: true })).toEqual(['RST_USER_ROOT']);
    for (const user of ['4294967296', '-1', '0x0'])
      expect(codes(user, { forbidRoot: true })).toEqual(['RST_USER_INVALID']);
  });

  it('RST-2 does not take a name for a user that is not root', () => {
    expect(codes('nobody', { forbidRoot: true })).toEqual(['RST_USER_ROOT']);
    expect(codes('nobody', { minUid: 1000 })).toEqual(['RST_USER_UID']);
    expect(codes('nobody', { forbidRoot: true, requireNumeric: true })).toEqual(['RST_USER_NAME']);
  });

  it('RST-2 asks nothing without a rule', () => {
    expect(codes('0x0', undefined)).toEqual([]);
  });
});

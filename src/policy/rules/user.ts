import type { Policy } from '../policy.js';
import type { Violation, ViolationCode } from '../violation.js';

/** What an image's `User` means to those who start it. */
export type UserClass =
  | 'invalid'
  /** By user or by group. */
  | 'root'
  /** Which number it is, only the image's own files can tell, and layers can change them. */
  | 'named'
  | 'numeric';

/** Above it, runtimes have wrapped around to 0 (CVE-2024-40635). */
const MAX_ID = 2 ** 31 - 1;

/** Reads `USER[:GROUP]`, either as a number or as a name. Nothing at all means root. */
export function classOfUser(text: string): UserClass {
  const [user = '', group, ...more] = text.split(':');
  const ids = [idOf(user === '' && group === undefined ? '0' : user), group === undefined ? undefined : idOf(group)];
  if (more.length > 0 || ids.includes('invalid')) return 'invalid';
  if (ids.includes(0)) return 'root';
  return ids.includes('named') ? 'named' : 'numeric';
}

function idOf(text: string): number | 'named' | 'invalid' {
  if (text === 'root') return 0;
  if (/^[0-9]+$/.test(text)) return Number(text) > MAX_ID ? 'invalid' : Number(text);
  return /^[a-z_][a-z0-9_.-]{0,31}\$?$/i.test(text) ? 'named' : 'invalid';
}

/** Who an image may run as. Whose number is not known may be root. */
export function userRules(user: string, rules: Policy['users']): readonly Violation[] {
  if (rules === undefined) return [];
  const { forbidRoot = false, minUid, requireNumeric = false } = rules;
  const found = classOfUser(user);
  const violation = (code: ViolationCode, limit: string | number) =>
    ({ code, got: user, limit, hint: 'give the image a User such as 1000:1000' }) as const;
  if (found === 'invalid') return [violation('RST_USER_INVALID', `a number up to ${MAX_ID}, or a name`)];
  const isUnknown = found === 'named';
  return [
    ...(forbidRoot && found === 'root' ? [violation('RST_USER_ROOT', 'not root')] : []),
    ...(forbidRoot && isUnknown && !requireNumeric
      ? [violation('RST_USER_ROOT', 'a user that is known not to be root')]
      : []),
    ...(requireNumeric && !/^\d+(:\d+)?$/.test(user) ? [violation('RST_USER_NAME', 'numbers')] : []),
    ...(minUid !== undefined && uidOf(user) < minUid ? [violation('RST_USER_UID', minUid)] : []),
  ];
}

/** -1 for a name. */
function uidOf(user: string): number {
  const [first = ''] = user.split(':');
  return /^\d+$/.test(first) ? Number(first) : first === '' || first === 'root' ? 0 : -1;
}

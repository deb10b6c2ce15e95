import type { Json } from '../values/error.js';

/** Every way in which an image can break a policy. One code is one row of docs/policy.md. */
export const VIOLATION_CODES = [
  'RST_AMBIGUOUS',
  'RST_BASE',
  'RST_BASES',
  'RST_BASE_AGE',
  'RST_COMPRESSION_RATIO',
  'RST_CREATED',
  'RST_DEPTH',
  'RST_DEVICE',
  'RST_ENTRYPOINT',
  'RST_ENV_BYTES',
  'RST_ENV_NAME',
  'RST_FILES',
  'RST_FILE_CAPABILITIES',
  'RST_FOREIGN_LAYER',
  'RST_HEALTHCHECK',
  'RST_IMAGE_BYTES',
  'RST_LABEL',
  'RST_LAYERS',
  'RST_LAYER_BYTES',
  'RST_MEDIA_TYPE',
  'RST_PATH_BYTES',
  'RST_PLATFORM',
  'RST_PORT',
  'RST_SETUID',
  'RST_STOP_SIGNAL',
  'RST_UNCOMPRESSED_BYTES',
  'RST_UNREADABLE',
  'RST_USER_INVALID',
  'RST_USER_NAME',
  'RST_USER_ROOT',
  'RST_USER_UID',
  'RST_VOLUME',
  'RST_WHITEOUT',
  'RST_WORLD_WRITABLE',
  'RST_WRITABLE',
] as const;

export type ViolationCode = (typeof VIOLATION_CODES)[number];

/** One thing of an image that a policy does not allow. */
export interface Violation {
  readonly code: ViolationCode;
  /** Of the manifest's layers, from 0, the lowest. */
  readonly layer?: number;
  /** Absolute. */
  readonly path?: string;
  readonly got: Json;
  /** What the policy says. */
  readonly limit: Json;
  readonly hint: string;
}

/** So many of one code are listed; then one more tells how many are not. */
const MOST_LISTED = 100;

/** In an order that depends on nothing but the violations, and of each code no more than anyone reads. */
export function sorted(violations: readonly Violation[]): readonly Violation[] {
  const byCode = new Map<ViolationCode, Violation[]>();
  for (const violation of violations) {
    const list = byCode.get(violation.code);
    if (list === undefined) byCode.set(violation.code, [violation]);
    else list.push(violation);
  }
  return [...byCode].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, list]) => listed(list.sort(compare)));
}

function listed(list: readonly Violation[]): readonly Violation[] {
  const [first] = list;
  if (first === undefined || list.length <= MOST_LISTED) return list;
  const { code, limit, hint } = first;
  return [...list.slice(0, MOST_LISTED), { code, got: `${list.length - MOST_LISTED} more`, limit, hint }];
}

function compare(a: Violation, b: Violation): number {
  const order = (a.layer ?? -1) - (b.layer ?? -1);
  if (order !== 0) return order;
  const [left, right] = [textOf(a), textOf(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

function textOf({ path = '', got }: Violation): string {
  return `${path}\0${JSON.stringify(got)}`;
}

import type { ErrorCode, Json } from './error.js';

/** What was found out about one thing that work may need. */
export interface Finding {
  /** What was looked at: `bubblewrap`, `registry ghcr.io`. */
  readonly name: string;
  /** `warn` for what only some work needs, or what is not as it should be. */
  readonly state: 'ok' | 'warn' | 'no';
  /** What was seen, in one line. */
  readonly found: string;
  /** What to do about it: there for each that is not `ok`. */
  readonly fix?: string | undefined;
  /** The error that the work which was asked about ends with because of this. Only for `no`. */
  readonly code?: ErrorCode | undefined;
  /** The same facts for programs. */
  readonly details: Readonly<Record<string, Json>>;
}

type Details = Finding['details'];

/** A finding with nothing to do about it. */
export function fine(name: string, found: string, details: Details = {}): Finding {
  return { name, state: 'ok', found, details };
}

/** A finding that stands in the way of some work, or will. */
export function doubtful(name: string, found: string, fix: string, details: Details = {}): Finding {
  return { name, state: 'warn', found, fix, details };
}

/** A finding that stands in the way of the work that was asked about, which would end with this error; of other work, without. */
export function missing(
  name: string,
  code: ErrorCode | undefined,
  found: string,
  fix: string,
  details: Details = {},
): Finding {
  return { name, state: 'no', found, fix, code, details };
}

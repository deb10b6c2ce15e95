import { constants } from 'node:os';
import type { Exit } from '../sandbox/sandbox.js';

/**
 * The signal that ended a script. A shell and a sandbox report a child that was killed as exit 128 + n, so such a status
 * counts as one.
 */
export function signalOf(exit: Exit): string | undefined {
  if (exit.killedBy !== undefined) return exit.killedBy;
  if (exit.code === undefined || exit.code <= 128) return undefined;
  return Object.entries(constants.signals).find(([, number]) => number === (exit.code ?? 0) - 128)?.[0];
}

/** `exit 1`, `exit 137 (SIGKILL)`, `killed by SIGTERM`. */
export function exitText(exit: Exit): string {
  if (exit.killedBy !== undefined) return `killed by ${exit.killedBy}`;
  const signal = signalOf(exit);
  return signal === undefined ? `exit ${exit.code}` : `exit ${exit.code} (${signal})`;
}

/** A time for people: `90 s`, `15 min`. */
export function durationText(ms: number): string {
  return ms >= 120_000 && ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

/** The last lines of an output as evidence, indented below a heading. */
export function linesText(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? 'it printed nothing' : [heading, ...lines.map((line) => `  ${line}`)].join('\n');
}

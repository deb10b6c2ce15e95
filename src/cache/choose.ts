/** What a choice must know of an entry. */
export interface Candidate {
  readonly part: string;
  readonly name: string;
  readonly bytes: number;
  /** When it was last used, in milliseconds. */
  readonly used: number;
  /** It stays, whatever the bounds say. */
  readonly isKept: boolean;
}

export interface Bounds {
  /** Bytes that may stay; no bound if absent. */
  readonly maxBytes?: number | undefined;
  /** In milliseconds: what was not used for longer goes; no bound if absent. */
  readonly maxAgeMs?: number | undefined;
  /** In milliseconds: what was used since stays. */
  readonly minAgeMs: number;
  /** In milliseconds, by the clock that `used` is of. */
  readonly now: number;
}

/**
 * Chooses what goes: what is too old, then what was least recently used, until the rest fits. What was used in the future, by
 * a clock that was wrong, counts as used just now.
 */
export function chooseToRemove<T extends Candidate>(entries: readonly T[], bounds: Bounds): readonly T[] {
  const { maxBytes = Number.POSITIVE_INFINITY, maxAgeMs = Number.POSITIVE_INFINITY, minAgeMs, now } = bounds;
  let left = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const age = ({ used }: T) => Math.max(0, now - used);
  const chosen: T[] = [];
  const oldestFirst = entries.filter((entry) => !entry.isKept && age(entry) >= minAgeMs).sort(byUse);
  for (const entry of oldestFirst) {
    if (age(entry) <= maxAgeMs && left <= maxBytes) continue;
    chosen.push(entry);
    left -= entry.bytes;
  }
  return chosen;
}

function byUse(a: Candidate, b: Candidate): number {
  if (a.used !== b.used) return a.used - b.used;
  return `${a.part}/${a.name}` < `${b.part}/${b.name}` ? -1 : 1;
}

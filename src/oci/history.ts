import type { HistoryEntry } from './documents.js';

/**
 * A history with exactly one entry that is not `empty_layer` for each of `layers` layers. History is optional (image-spec,
 * config.md), so it never decides which layers exist: what is missing is filled in, what is too much is marked empty.
 */
export function alignHistory(history: readonly HistoryEntry[], layers: number): readonly HistoryEntry[] {
  let seen = 0;
  const marked = history.map((entry): HistoryEntry => {
    if (entry.empty_layer === true) return entry;
    seen += 1;
    return seen > layers ? { ...entry, empty_layer: true } : entry;
  });
  const missing = Math.max(0, layers - seen);
  return [...marked, ...Array.from({ length: missing }, () => ({ created_by: 'layer without history' }))];
}

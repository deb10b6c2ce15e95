import type { Event } from '../values/events.js';

/** How long each step took, by the clock that only the command line has. */
export interface Timings {
  add(event: Event): void;
  readonly table: () => readonly { readonly step: string; readonly ms: number }[];
  readonly totalMs: () => number;
}

export function makeTimings(): Timings {
  const begun = performance.now();
  const open = new Map<string, number>();
  const done: { step: string; ms: number }[] = [];
  return {
    add: (event) => {
      if (event.type !== 'step.start' && event.type !== 'step.end') return;
      const step = event.subject === undefined ? event.step : `${event.step} ${event.subject}`;
      const since = open.get(step);
      if (event.type === 'step.start') open.set(step, performance.now());
      else if (since !== undefined && open.delete(step)) done.push({ step, ms: performance.now() - since });
    },
    table: () => done,
    totalMs: () => performance.now() - begun,
  };
}

/** The table that `--timings` prints. What no step accounts for is the last row but one. */
export function renderTimings({ table, totalMs }: Timings): string {
  const total = totalMs();
  const named = table().reduce((sum, { ms }) => sum + ms, 0);
  const rows = [...table(), { step: '(between steps)', ms: total - named }, { step: 'total', ms: total }];
  const width = Math.max(...rows.map(({ step }) => step.length));
  return rows.map(({ step, ms }) => `${step.padEnd(width)}  ${(ms / 1000).toFixed(3).padStart(8)} s\n`).join('');
}

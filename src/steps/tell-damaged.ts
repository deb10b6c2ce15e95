import type { Listener } from '../values/events.js';

/** Tells that something in the cache was found to be other than it was written, and is not used. */
export function tellDamaged(what: string, on: Listener): void {
  on({ type: 'notice', code: 'CACHE_DAMAGED', message: `${what} in the cache is damaged: it is made anew` });
}

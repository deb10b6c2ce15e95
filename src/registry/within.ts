import { fail } from '../values/error.js';

/** Asks a host once, for so many milliseconds. Throws `REGISTRY_TIMEOUT`. */
export async function within<T>(
  ms: number,
  host: string,
  signal: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(ms);
  return ask(signal === undefined ? limit : AbortSignal.any([signal, limit])).catch((error: unknown) => {
    throw limit.aborted && !signal?.aborted ? late(host, ms) : error;
  });
}

function late(host: string, ms: number) {
  return fail('REGISTRY_TIMEOUT', {
    what: `${host} does not answer`,
    why: `it was asked once, and given ${ms / 1000} seconds`,
    details: { host },
  });
}

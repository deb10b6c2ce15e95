import { setTimeout as sleep } from 'node:timers/promises';
import type { Limiter } from '../system/limiter.js';
import { isFailure } from '../values/error.js';
import type { Answer } from './http.js';
import type { RetryRules } from './tuning.js';

/** Statuses of servers that may do better the next time. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/** True for an error that another try may not meet. */
export function isPassingFailure(error: unknown): boolean {
  if (isFailure(error, 'REGISTRY_TIMEOUT')) return true;
  return isFailure(error, 'REGISTRY_UNREACHABLE') && !isLasting(error.details['system']);
}

/**
 * Sends a request until it is answered for good, at most `tries` times. Gives the last answer, whatever it is. Before a
 * server that is busy, the limiter lets fewer requests through at once.
 */
export async function withRetries(
  send: () => Promise<Answer>,
  rules: RetryRules,
  limiter: Limiter,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt >= rules.tries;
    const answer = await limiter.run(send).catch((error: unknown) => {
      if (isLast || !isPassingFailure(error)) throw error;
      return undefined;
    });
    if (answer !== undefined && !isPassing(answer.status)) {
      limiter.wentWell();
      return answer;
    }
    if (answer?.status === 429 || answer?.status === 503) limiter.wasTooMuch();
    const wait = answer === undefined ? undefined : retryAfter(answer);
    if (answer !== undefined && (isLast || (wait ?? 0) > rules.longestWaitMs)) return answer;
    await answer?.drop();
    await sleep(wait ?? pause(attempt, rules), undefined, signal === undefined ? {} : { signal });
  }
}

/** The pause before another try, in milliseconds: longer each time, and never quite the same. */
export function pause(attempt: number, { firstPauseMs, longestPauseMs, random }: RetryRules): number {
  const full = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
  return full / 2 + (full / 2) * random();
}

/** What a server asks us to wait, in milliseconds: seconds, or a date, which is compared with the server's own clock. */
export function retryAfter({ header }: Pick<Answer, 'header'>): number | undefined {
  const text = header('retry-after')?.trim();
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1000;
  const [until, now] = [Date.parse(text), Date.parse(header('date') ?? '')];
  return Number.isNaN(until) || Number.isNaN(now) ? undefined : Math.max(until - now, 0);
}

/** A name that is not known or a certificate that is not good will be so in a second too. */
function isLasting(system: unknown): boolean {
  return (
    typeof system === 'string' &&
    /^(ENOTFOUND|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO|HOSTNAME)/.test(system)
  );
}

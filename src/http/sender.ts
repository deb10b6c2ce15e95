import { type Limiter, limiter } from '../system/limiter.js';
import type { Answer, Http, HttpRequest } from './http.js';
import { withRetries } from './retry.js';
import type { RetryRules } from './tuning.js';

export interface SenderOptions {
  readonly http: Http;
  readonly rules: RetryRules;
  /** Requests to one host at once. */
  readonly parallel: number;
}

/** Sends a request as often as the rules say, or `tries` times; no redirect is followed. */
export type Send = (request: HttpRequest, tries?: number) => Promise<Answer>;

/** Sends requests again where that may help, and to each host no more at once than it takes. */
export function sender({ http, rules, parallel }: SenderOptions): Send {
  const limiters = new Map<string, Limiter>();
  const limiterOf = (host: string) => {
    const found = limiters.get(host) ?? limiter(parallel);
    limiters.set(host, found);
    return found;
  };
  return (request, tries = rules.tries) =>
    withRetries(() => http(request), { ...rules, tries }, limiterOf(request.url.host), request.signal);
}

import type { Answer, Body, Http, HttpRequest } from '../http/http.js';
import { following } from '../http/redirect.js';
import { sender } from '../http/sender.js';
import type { RetryRules } from '../http/tuning.js';
import { type Auth, authWith } from './auth.js';
import type { FindCredentials } from './credentials.js';
import { endpointOf } from './name.js';
import { readRefusal, refusalError } from './refusal.js';

/** A request to a registry. */
export interface Call {
  /** The registry, as named. */
  readonly host: string;
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly method: string;
  /** The path below `/v2/`, or an address that the registry gave and that was checked. */
  readonly at: string | URL;
  /** For an error: `read acme/shop`. */
  readonly doing: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Body | undefined;
  /** Sent once only: who calls knows better how to go on. */
  readonly once?: boolean | undefined;
  /** Whether the host was named by an image, not by the user: then it must be on the Internet. */
  readonly isHint?: boolean | undefined;
  /** Redirects are not followed. */
  readonly stay?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ClientOptions {
  readonly http: Http;
  readonly find: FindCredentials;
  readonly rules: RetryRules;
  /** Requests to one host at once. */
  readonly parallel: number;
  /** True for a registry that is spoken to in plain HTTP. */
  readonly isInsecure: (host: string) => boolean;
  /** True for a host that the user trusts with credentials and bytes, wherever it is. */
  readonly isTrusted: (url: URL) => boolean;
}

/** Talks to registries: with retries, redirects and credentials. */
export interface Client {
  /** The answer, whatever its status. */
  readonly call: (call: Call) => Promise<Answer>;
  /** The error for an answer that is none to go on with. */
  readonly refused: (answer: Answer, call: Call) => Promise<Error>;
  /** Where a registry's API answers. */
  readonly baseOf: (host: string) => URL;
  readonly isTrusted: (url: URL) => boolean;
  /** Takes every secret out of a text. */
  readonly hide: (text: string) => string;
  readonly rules: RetryRules;
  readonly parallel: number;
}

export function clientWith(options: ClientOptions): Client {
  const send = sender(options);
  const baseOf = (host: string) => new URL(`${options.isInsecure(host) ? 'http' : 'https'}://${endpointOf(host)}/v2/`);
  const { isTrusted, rules, parallel } = options;
  const auth = authWith({ find: options.find, ask: (request) => send(request), baseOf, isTrusted });
  return {
    call: (call) => authorized(call, baseOf(call.host), auth, (request) => send(request, call.once ? 1 : undefined)),
    refused: async (answer, call) =>
      refusalError(await readRefusal(answer, auth.hide), {
        ...call,
        url: answer.url,
        hadCredentials: await auth.hasCredentials(call).catch(() => false),
      }),
    baseOf,
    isTrusted,
    hide: auth.hide,
    rules,
    parallel,
  };
}

/**
 * Sends with what the registry is known to want, and again when it then wants something else. Only the registry's own
 * origin gets credentials, and only its own challenges are heard.
 */
async function authorized(
  call: Call,
  base: URL,
  auth: Auth,
  send: (request: HttpRequest) => Promise<Answer>,
): Promise<Answer> {
  const url = typeof call.at === 'string' ? new URL(call.at, base) : call.at;
  const isOwn = url.origin === base.origin;
  const sendAs = (authorization: string | undefined) => {
    const own = {
      'user-agent': 'pack-build',
      ...call.headers,
      ...(authorization === undefined ? {} : { authorization }),
    };
    const request = { method: call.method, url, headers: own, body: call.body, signal: call.signal };
    return call.stay ? send(request) : following(request, send);
  };
  let used = isOwn ? await auth.header(call) : undefined;
  let answer = await sendAs(used);
  // A token may have run out, and the next one may be for too little: not more than two rounds.
  for (let round = 0; round < 2 && answer.status === 401 && isOwn && answer.url.origin === base.origin; round += 1) {
    const challenge = answer.header('www-authenticate');
    const next = challenge === undefined ? undefined : await auth.answerTo(challenge, call, used);
    if (next === undefined) return answer;
    await answer.drop();
    used = next;
    answer = await sendAs(used);
  }
  return answer;
}

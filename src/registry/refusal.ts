import { collectAnswer } from '../http/answer-bytes.js';
import type { Answer } from '../http/http.js';
import { visible } from '../http/network-failure.js';
import { isPassing, retryAfter } from '../http/retry.js';
import { fail, type PackBuildError } from '../values/error.js';
import { asArray, asString, member, optional, parseJson } from '../values/json.js';

const MAX_ERROR_BYTES = 64 * 1024;

/** What a registry said instead of doing what it was asked. */
export interface Refusal {
  readonly status: number;
  /** Codes of the distribution-spec, such as `MANIFEST_UNKNOWN`. */
  readonly codes: readonly string[];
  /** Its words, fit to be shown. */
  readonly words: string;
  /** In milliseconds. */
  readonly retryAfter: number | undefined;
}

/** Reads the body of an error (distribution-spec, "Error Codes"): anything else than its JSON says nothing. */
export async function readRefusal(answer: Answer, hide: (text: string) => string): Promise<Refusal> {
  const facts = { status: answer.status, retryAfter: retryAfter(answer) };
  try {
    const bytes = await collectAnswer(answer, MAX_ERROR_BYTES);
    const errors = asArray(member(parseJson(bytes, 'error', 'REGISTRY_FAILED'), 'errors')).slice(0, 3);
    const codes = errors.map((error) => optional(member(error, 'code'), asString) ?? '');
    const words = errors.map((error, at) =>
      [codes[at], optional(member(error, 'message'), asString)].filter(Boolean).join(': '),
    );
    return { ...facts, codes, words: visible(hide(words.join('; ')), 400) };
  } catch {
    return { ...facts, codes: [], words: '' };
  }
}

export interface RefusedWork {
  /** Such as `push acme/shop to ghcr.io`. */
  readonly doing: string;
  readonly host: string;
  readonly method: string;
  readonly url: URL;
  readonly hadCredentials: boolean;
}

/** The error for a refusal. */
export function refusalError({ status, words, retryAfter: wait }: Refusal, work: RefusedWork): PackBuildError {
  const { doing, host } = work;
  const evidence = `${status} on ${work.method} ${work.url.host}${work.url.pathname}${words === '' ? '' : `: ${words}`}`;
  const details = { host, status };
  if (status === 401 || status === 403) {
    return fail('REGISTRY_UNAUTHORIZED', {
      what: `${host} does not let us ${doing}`,
      why: `${evidence}\n${sent(status, work)}`,
      fix:
        work.hadCredentials && status === 403
          ? 'log in as somebody who may do this'
          : `docker login ${host}, or podman login ${host}`,
      details,
    });
  }
  if (status === 429) {
    return fail('REGISTRY_LIMITED', {
      what: `${host} lets us do no more for now`,
      why: `${evidence}${wait === undefined ? '' : `\nit asks to wait for ${Math.ceil(wait / 1000)} seconds`}`,
      fix: work.hadCredentials ? 'try again later' : `log in, which often allows more: docker login ${host}`,
      details,
    });
  }
  return fail('REGISTRY_FAILED', {
    what: `${host} could not ${doing}`,
    why: evidence,
    fix: isPassing(status) ? 'try again later' : undefined,
    details,
  });
}

function sent(status: number, { hadCredentials, host }: RefusedWork): string {
  if (!hadCredentials) return `there are no credentials for ${host}`;
  return status === 401
    ? 'credentials were sent, and refused: they are wrong or have run out'
    : 'credentials were sent';
}

import { collectAnswer } from '../http/answer-bytes.js';
import type { Answer, HttpRequest } from '../http/http.js';
import { visible } from '../http/network-failure.js';
import { fail } from '../values/error.js';
import { asSize, asString, type Located, member, optional, parseJson } from '../values/json.js';
import type { Credentials } from './credentials.js';

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  /** `repository:NAME:ACTIONS`; what is asked for in vain stands first. */
  readonly scopes: readonly string[];
  /** Absent when there are none, or when the server must not have them. */
  readonly credentials: Credentials | undefined;
}

/** Sends a request with retries and without following redirects. */
export type Ask = (request: HttpRequest) => Promise<Answer>;

export interface Token {
  readonly text: string;
  /** How long it is good for, between a minute and an hour, whatever its server says. */
  readonly lifeMs: number;
}

const MAX_BYTES = 64 * 1024;

/**
 * Gets a token from a token server (distribution-spec's companion, "Token Authentication"): all scopes in one request. An
 * identity token is exchanged by POST, as OAuth 2 has it. Throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_INVALID`.
 */
export async function requestToken(request: TokenRequest, ask: Ask, signal?: AbortSignal): Promise<Token> {
  const { credentials } = request;
  const answer = await ask({
    ...(credentials?.kind === 'identity' ? exchange(request, credentials.token) : plain(request)),
    signal,
  });
  if (answer.status !== 200) {
    await answer.drop();
    throw refused(request, answer.status);
  }
  const bytes = await collectAnswer(answer, MAX_BYTES);
  return parseToken(parseJson(bytes, `the token of ${request.realm.host}`, 'REGISTRY_INVALID'), request.realm.host);
}

function plain({ realm, service, scopes, credentials }: TokenRequest): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials?.kind !== 'password') return { method: 'GET', url, headers: {} };
  url.searchParams.set('account', credentials.user);
  return { method: 'GET', url, headers: { authorization: basic(credentials) } };
}

function exchange({ realm, service = '', scopes }: TokenRequest, token: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service,
    client_id: 'pack-build',
    scope: scopes.join(' '),
    refresh_token: token,
  });
  const bytes = Buffer.from(form.toString());
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: { size: bytes.byteLength, open: () => [bytes] },
  };
}

/** The header for a user and a password (RFC 7617). */
export function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function parseToken(root: Located, host: string): Token {
  const text = optional(member(root, 'token'), asString) || optional(member(root, 'access_token'), asString) || '';
  // What else stands in a header would be another header.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw fail('REGISTRY_INVALID', { what: `the token server ${host} gave no token that can be used` });
  }
  const seconds = secondsIn(member(root, 'expires_in'));
  return { text, lifeMs: Math.min(Math.max(seconds, 60), 3600) * 1000 };
}

function secondsIn(located: Located): number {
  try {
    return optional(located, asSize) ?? 60;
  } catch {
    return 60;
  }
}

function refused({ realm, credentials }: TokenRequest, status: number) {
  return fail('REGISTRY_UNAUTHORIZED', {
    what: `the token server ${visible(realm.host)} gave no token`,
    why: `it answered ${status}; ${credentials === undefined ? 'no credentials were sent' : 'credentials were sent'}`,
    fix: 'log in again: docker login or podman login',
    details: { host: realm.host, status },
  });
}

import { fail } from '../values/error.js';
import type { Answer, HttpRequest } from './http.js';
import { visible } from './network-failure.js';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What another server may see of a request's headers. */
const HARMLESS: ReadonlySet<string> = new Set(['range', 'if-range', 'user-agent', 'accept']);

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Sends a request and follows redirects, at most five. To another origin (scheme, host or port) goes nothing but what
 * everybody may know, and nothing but GET and HEAD. Throws `REGISTRY_ADDRESS`.
 */
export async function following(
  request: HttpRequest,
  send: (request: HttpRequest) => Promise<Answer>,
): Promise<Answer> {
  let current = request;
  for (let hops = 0; ; hops += 1) {
    const answer = await send(current);
    const location = answer.header('location');
    if (!isRedirect(answer.status) || location === undefined) return answer;
    await answer.drop();
    if (hops === MAX_REDIRECTS) throw refused(current.url, `there are more than ${MAX_REDIRECTS} redirects in a row`);
    const url = resolveLocation(location, current.url);
    const isSame = url.origin === current.url.origin;
    if (!isSame && !['GET', 'HEAD'].includes(request.method))
      throw refused(current.url, `it sends a ${request.method} to ${visible(url.host)}`);
    current = { ...current, url, headers: isSame ? current.headers : harmless(current.headers) };
  }
}

/** The address that a server gave, absolute. It must be http or https, no less safe than before, and name no user. Throws `REGISTRY_ADDRESS`. */
export function resolveLocation(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw refused(from, 'it gives an address that is none');
  const url = new URL(location, from);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(from, `it leads to ${visible(url.protocol)}`);
  if (url.protocol === 'http:' && from.protocol === 'https:') throw refused(from, 'it leads from https to http');
  if (url.username !== '' || url.password !== '') throw refused(from, 'the address has a user in it');
  url.hash = '';
  return url;
}

function harmless(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name.toLowerCase())));
}

function refused(from: URL, why: string) {
  return fail('REGISTRY_ADDRESS', {
    what: `${from.host} sends us where we do not follow`,
    why,
    details: { host: from.host },
  });
}

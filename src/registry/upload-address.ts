import type { Answer } from '../http/http.js';
import { resolveLocation } from '../http/redirect.js';
import { fail } from '../values/error.js';
import type { Repository } from './manifests.js';

/**
 * Where an upload goes on: relative or absolute, with whatever query it has. Another host than the registry's gets our
 * bytes only if the user trusts it, and never our credentials. Throws `REGISTRY_ADDRESS`, `REGISTRY_INVALID`.
 */
export function uploadAddress({ client, host }: Repository, answer: Answer): URL {
  const location = answer.header('location');
  if (location === undefined) {
    throw fail('REGISTRY_INVALID', {
      what: `${host} does not say where an upload goes to`,
      why: `it answered ${answer.status} without a Location`,
    });
  }
  const url = resolveLocation(location, answer.url);
  if (url.origin === client.baseOf(host).origin || client.isTrusted(url)) return url;
  throw fail('REGISTRY_ADDRESS', {
    what: `${host} wants uploads to go to another host`,
    why: `that is ${url.origin}`,
    fix: `if that is right, say so: --trust-host ${url.host}`,
    details: { host: url.host },
  });
}

/** The address with one more parameter. */
export function withParameter(url: URL, name: string, value: string): URL {
  const next = new URL(url);
  // Not through searchParams, which would write the rest of the query anew, and may break a signature.
  next.search = `${url.search === '' ? '?' : `${url.search}&`}${name}=${encodeURIComponent(value)}`;
  return next;
}

import { fail } from '../values/error.js';

/**
 * Where a list goes on, as the registry links it (RFC 8288): on its own origin only, each page once, and not for ever.
 * Throws `REGISTRY_ADDRESS`, `REGISTRY_INVALID`.
 */
export function nextPage(
  link: string | undefined,
  from: URL,
  host: string,
  seen: ReadonlySet<string>,
  most: number,
): URL | undefined {
  const [, target] = /<([^<>]*)>\s*;[^<]*\brel="?next\b/.exec(link ?? '') ?? [];
  if (target === undefined) return undefined;
  const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (url === undefined || url.origin !== from.origin) {
    throw fail('REGISTRY_ADDRESS', {
      what: `${host} says that a list goes on at another host`,
      why: url === undefined ? 'it gives an address that is none' : `that is ${url.origin}`,
      details: { host },
    });
  }
  if (!seen.has(url.href) && seen.size < most) return url;
  throw fail('REGISTRY_INVALID', { what: `${host} has a list without an end`, why: `${seen.size} pages were read` });
}

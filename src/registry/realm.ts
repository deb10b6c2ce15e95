import { visible } from '../http/network-failure.js';
import { fail } from '../values/error.js';
import { endpointOf } from './name.js';

export interface RealmRules {
  /** The registry, as named. */
  readonly host: string;
  /** Where its API answers. */
  readonly registry: URL;
  /** True for a host that the user named as one to be trusted with credentials. */
  readonly isTrusted: (url: URL) => boolean;
}

/** Token servers that are on another domain than their registry, by their own documentation. */
const KNOWN: Readonly<Record<string, string>> = {
  'docker.io': 'auth.docker.io',
  'registry.digitalocean.com': 'api.digitalocean.com',
};

/**
 * The address of a token server, as a registry names it, and whether it may have our credentials: when it is the registry
 * itself, above or below it in the names, known to belong to it, or named by the user. Any other is asked as nobody.
 * Throws `REGISTRY_ADDRESS` for one that is not https, and `REGISTRY_INVALID`.
 */
export function checkRealm(
  realm: string | undefined,
  rules: RealmRules,
): { readonly url: URL; readonly mayHaveCredentials: boolean } {
  if (realm === undefined || !URL.canParse(realm)) {
    throw fail('REGISTRY_INVALID', {
      what: `${rules.host} does not say where it gives tokens`,
      why: `realm: ${visible(realm ?? 'none')}`,
    });
  }
  const url = new URL(realm);
  const isSame = url.origin === rules.registry.origin;
  const isPlain = url.protocol === 'http:' && rules.registry.protocol === 'http:' && (isSame || rules.isTrusted(url));
  if ((url.protocol !== 'https:' && !isPlain) || url.username !== '' || url.password !== '') {
    throw fail('REGISTRY_ADDRESS', {
      what: `${rules.host} names a token server that is not safe to talk to`,
      why: `${url.protocol}//${visible(url.host)}: only https is`,
      details: { host: url.host },
    });
  }
  const mayHaveCredentials =
    isSame || rules.isTrusted(url) || KNOWN[rules.host] === url.host || areRelated(endpointOf(rules.host), url);
  return { url, mayHaveCredentials };
}

/** One name is below the other: gitlab.com for registry.gitlab.com. Names beside each other may belong to anybody. */
function areRelated(registry: string, realm: URL): boolean {
  const name = registry.replace(/:\d+$/, '');
  if (realm.port !== '' || /^[\d.]+$/.test(name) || !realm.hostname.includes('.') || !name.includes('.')) return false;
  return `.${name}`.endsWith(`.${realm.hostname}`) || `.${realm.hostname}`.endsWith(`.${name}`);
}

import { type Challenge, parseChallenges } from './challenge.js';
import type { Credentials, FindCredentials } from './credentials.js';
import { checkRealm } from './realm.js';
import { type Ask, basic, requestToken, type Token } from './tokens.js';

export interface AuthOptions {
  readonly find: FindCredentials;
  readonly ask: Ask;
  /** Where a host's API answers. */
  readonly baseOf: (host: string) => URL;
  readonly isTrusted: (url: URL) => boolean;
}

/** What a request is for. */
export interface Access {
  /** The registry, as named. */
  readonly host: string;
  readonly repository: string;
  /** All that the request needs, as `repository:NAME:ACTIONS`. */
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface Auth {
  /** The header for a request, as far as the registry has told before what it wants. */
  readonly header: (access: Access) => Promise<string | undefined>;
  /** The header in answer to a 401. What was used before, if anything, is not used again. */
  readonly answerTo: (challenge: string, access: Access, used: string | undefined) => Promise<string | undefined>;
  /** What we could have said: for errors. */
  readonly hasCredentials: (access: Access) => Promise<boolean>;
  /** Takes every secret out of a text. */
  readonly hide: (text: string) => string;
}

/**
 * Says who we are to registries, once they ask. Tokens are kept for each registry and set of scopes, for as long as their
 * server allows; a timer forgets them, so that no clock is believed. Any number of requests at once get one token.
 */
export function authWith({ find, ask, baseOf, isTrusted }: AuthOptions): Auth {
  const wanted = new Map<string, Challenge>();
  const tokens = new Map<string, Promise<Token>>();
  const secrets = new Set<string>();

  const remember = (text: string) => {
    if (text.length > 3) secrets.add(text);
    return text;
  };
  const known = async (access: Access): Promise<Credentials | undefined> => {
    const credentials = await find(access.host, access.repository);
    if (credentials !== undefined) remember(credentials.kind === 'password' ? credentials.password : credentials.token);
    return credentials;
  };
  const tokenFor = (challenge: Challenge, access: Access): Promise<Token> => {
    const key = JSON.stringify([access.host, access.repository, [...access.scopes].sort()]);
    const kept = tokens.get(key);
    if (kept !== undefined) return kept;
    const { url, mayHaveCredentials } = checkRealm(challenge.parameters.get('realm'), {
      host: access.host,
      registry: baseOf(access.host),
      isTrusted,
    });
    const getting = known(access).then((credentials) =>
      requestToken(
        {
          realm: url,
          service: challenge.parameters.get('service'),
          scopes: access.scopes,
          credentials: mayHaveCredentials ? credentials : undefined,
        },
        ask,
        access.signal,
      ),
    );
    tokens.set(key, getting);
    const forget = () => tokens.get(key) === getting && tokens.delete(key);
    getting.then(({ lifeMs }) => setTimeout(forget, lifeMs * 0.9).unref(), forget);
    return getting;
  };
  const headerFor = async (challenge: Challenge, access: Access): Promise<string | undefined> => {
    const credentials = await known(access);
    if (challenge.scheme === 'basic') {
      return credentials?.kind === 'password' ? `Basic ${remember(basic(credentials).slice(6))}` : undefined;
    }
    if (credentials?.kind === 'token') return `Bearer ${credentials.token}`;
    return `Bearer ${remember((await tokenFor(challenge, access)).text)}`;
  };

  return {
    header: async (access) => {
      const challenge = wanted.get(access.host);
      return challenge === undefined ? undefined : headerFor(challenge, access);
    },
    answerTo: async (header, access, used) => {
      const challenges = parseChallenges(header);
      const challenge =
        challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
      if (challenge === undefined) return undefined;
      wanted.set(access.host, challenge);
      for (const [key, token] of used === undefined ? [] : tokens) {
        if (`Bearer ${(await token.catch(() => undefined))?.text}` === used) tokens.delete(key);
      }
      const next = await headerFor(challenge, access);
      return next === used ? undefined : next;
    },
    hasCredentials: async (access) => (await known(access)) !== undefined,
    hide: (text) => [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '***'), text),
  };
}

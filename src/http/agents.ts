import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { guardedLookup, requirePublicLiteral } from './addresses.js';
import type { Secure } from './certificates.js';
import { proxyFor, tunnelThrough } from './proxy.js';

export interface Addresses {
  /** True for a `host[:port]` that the user named: it may be anywhere. All others must not be in a private network. */
  readonly isNamed: (url: URL) => boolean;
  /** What a connection to a `host[:port]` is made with. */
  readonly secureFor: (host: string) => Promise<Secure>;
  /** Requests to one host at once. */
  readonly parallel: number;
  /** For the addresses of proxies. */
  readonly env: Readonly<Record<string, string>>;
}

type Agent = HttpAgent | HttpsAgent;

/**
 * Gives the agent for a URL; each host has its own, which keeps connections open for later requests. What a registry sends
 * us to, and the user did not name, is held to public addresses: the name when it is resolved, an address as it is written.
 */
export function agents({ isNamed, secureFor, parallel, env }: Addresses): (url: URL) => Promise<Agent> {
  const made = new Map<string, Promise<Agent>>();
  return (url) => {
    const named = isNamed(url);
    if (!named) requirePublicLiteral(url);
    const proxy = proxyFor(url, env);
    const key = `${url.origin} ${named} ${proxy?.href ?? ''}`;
    const agent = made.get(key) ?? makeAgent(url, proxy, secureFor, optionsFor(named, parallel));
    made.set(key, agent);
    return agent;
  };
}

async function makeAgent(
  url: URL,
  proxy: URL | undefined,
  secureFor: Addresses['secureFor'],
  options: ReturnType<typeof optionsFor>,
): Promise<Agent> {
  if (url.protocol === 'http:') return new HttpAgent(options);
  const secure = await secureFor(url.host);
  const agent = new HttpsAgent({ ...options, ...secure });
  return proxy === undefined ? agent : tunnelThrough(proxy, agent, secure);
}

/** Bytes of answers still come while the next requests are sent: these must not wait for a connection, their time runs. */
function optionsFor(named: boolean, parallel: number) {
  return { keepAlive: true, maxSockets: 2 * parallel, ...(named ? {} : { lookup: guardedLookup }) };
}

import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { isInternal } from '../http/addresses.js';

/** An address and port that a build reaches through us, and no other port of that address. */
export interface Endpoint {
  readonly kind: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'socks5:': 1080, 'socks5h:': 1080 };
const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** `HOST:PORT` of each URL among these texts; what is no URL counts for nothing. */
export function hostsOfUrls(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.flatMap((text) => {
    if (text === undefined || !URL.canParse(text)) return [];
    const url = new URL(text);
    const port = url.port === '' ? PORTS[url.protocol] : Number(url.port);
    return url.hostname === '' || port === undefined ? [] : [`${url.hostname}:${port}`];
  });
}

/** The proxies that an environment names, as `HOST:PORT`. */
export function proxiesOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const texts = PROXIES.flatMap((name) => env[name] || []);
  return hostsOfUrls(texts.map((text) => (/^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`)));
}

/** The name servers of this machine (resolv.conf(5)), by both protocols. */
export async function nameServers(): Promise<readonly Endpoint[]> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const named = [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address);
  const addresses = (named.length === 0 ? ['127.0.0.1'] : named).filter((address) => isIP(address) !== 0);
  return addresses.flatMap((address) => (['udp', 'tcp'] as const).map((kind) => ({ kind, address, port: 53 })));
}

/** Where hosts (`HOST:PORT`) are that a build would not reach otherwise: their addresses in private networks. */
export async function privateEndpoints(hosts: readonly string[], own: readonly string[]): Promise<readonly Endpoint[]> {
  const found = await Promise.all(hosts.map(endpointsOf));
  return found.flat().filter(({ address }) => isInternal(address) || own.includes(address));
}

async function endpointsOf(host: string): Promise<readonly Endpoint[]> {
  const at = host.lastIndexOf(':');
  const name = host.slice(0, at).replace(/^\[|\]$/g, '');
  const port = Number(host.slice(at + 1));
  const addresses = await lookup(name, { all: true }).catch(() => []);
  return addresses.map(({ address }) => ({ kind: 'tcp', address, port }));
}

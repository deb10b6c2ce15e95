import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { fail } from '../values/error.js';

/** Networks that are not the Internet: this host, private ones, link-local ones with the services of clouds, and the like. */
export const INTERNAL: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const internal = new BlockList();
for (const [network, prefix] of INTERNAL) internal.addSubnet(network, prefix, network.includes(':') ? 'ipv6' : 'ipv4');

/** True for an IP address that is not on the Internet, also when an IPv4 address is written as an IPv6 one. */
export function isInternal(address: string): boolean {
  const inner = embedded(address.toLowerCase());
  return internal.check(inner, isIP(inner) === 6 ? 'ipv6' : 'ipv4');
}

/** Refuses a URL whose host is an internal address; WHATWG URLs have decimal and octal ones in the usual form. Throws `REGISTRY_ADDRESS`. */
export function requirePublicLiteral(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0 ? !/^(.*\.)?localhost\.?$/.test(host) : !isInternal(host)) return;
  throw refusedAddress(url.host, host);
}

/** Resolves a name as `dns.lookup` does, and gives an error when it leads to an internal address. */
export function guardedLookup(
  name: string,
  options: object,
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
): void {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (error) return done(error, []);
    const bad = found.find(({ address }) => isInternal(address));
    if (bad !== undefined) return done(refusedAddress(name, bad.address), []);
    const [first] = found;
    if ('all' in options && options.all) return done(null, found);
    return done(null, first?.address ?? '', first?.family);
  });
}

/** The error for a host that a registry wants us to talk to. */
export function refusedAddress(host: string, address: string) {
  return fail('REGISTRY_ADDRESS', {
    what: `we are sent to ${host}, which is not on the Internet`,
    why: `${address} is an address of this machine or of a private network`,
    fix: `if that is right, say so: --trust-host ${host}`,
    details: { host },
  });
}

/** The IPv4 address in an IPv6 one (`::ffff:1.2.3.4`, `64:ff9b::1.2.3.4`), in whatever way it is written. */
function embedded(address: string): string {
  if (isIP(address) !== 6) return address;
  const compact = new URL(`http://[${address.split('%', 1)[0]}]/`).hostname.slice(1, -1);
  const [, high, low] = /^(?:::ffff:(?:0:)?|64:ff9b::|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compact) ?? [];
  if (high === undefined || low === undefined) return compact;
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
}

import { isIPv6 } from 'node:net';
import { INTERNAL } from '../http/addresses.js';
import type { Endpoint } from './endpoint.js';

/** Commands for `ip -batch`: a loopback that has, beside its own, the addresses at which we listen. */
export function loopbackCommands(endpoints: readonly Endpoint[]): readonly string[] {
  const addresses = new Set(endpoints.map(({ address }) => address).filter((address) => !isLoopback(address)));
  return ['link set lo up', ...[...addresses].map(addAddress)];
}

/**
 * Commands that take private networks, link-local ones and this machine's own addresses out of reach. Only root of the
 * namespace could take them back, which nobody in the sandbox is.
 */
export function barrierCommands(own: readonly string[]): readonly string[] {
  const networks = INTERNAL.filter(([network]) => !isIPv6(network) && !isLoopback(network));
  const hosts = own.filter((address) => !isIPv6(address) && !isLoopback(address));
  return [
    ...networks.map(([network, prefix]) => `route replace unreachable ${network}/${prefix}`),
    ...[...new Set(hosts)].map((address) => `route replace unreachable ${address}/32`),
  ];
}

function addAddress(address: string): string {
  return isIPv6(address) ? `address add ${address}/128 dev lo nodad` : `address add ${address}/32 dev lo`;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

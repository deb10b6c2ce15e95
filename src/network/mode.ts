import { fail } from '../values/error.js';

/**
 * What network a build has: none; the Internet without private networks and without this machine (`egress`); some hosts of
 * the Internet, through a proxy (`allow=HOST,...`); or this machine's own.
 */
export type NetworkMode = 'none' | 'egress' | 'host' | `allow=${string}`;

/** A host name, or `*.` and one for all names below it. */
const HOST = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?$/i;

/** Reads a mode. Undefined for what is none. */
export function parseNetworkMode(text: string): NetworkMode | undefined {
  if (text === 'none' || text === 'egress' || text === 'host') return text;
  if (!text.startsWith('allow=')) return undefined;
  return allowedHosts(text as NetworkMode).every((host) => HOST.test(host)) ? (text as NetworkMode) : undefined;
}

/** The hosts that a mode lets through, in lower case; none for a mode that names none. */
export function allowedHosts(mode: NetworkMode): readonly string[] {
  return mode.startsWith('allow=') ? mode.slice('allow='.length).toLowerCase().split(',') : [];
}

/** True if one of the rules (`HOST`, `*.HOST`, each with `:PORT` or for ports 80 and 443) has this host and port. */
export function isAllowed(rules: readonly string[], host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return rules.some((rule) => {
    const [pattern = '', only] = rule.split(':');
    if (only === undefined ? port !== 80 && port !== 443 : Number(only) !== port) return false;
    return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
  });
}

/** Checks the mode of a request. Throws `CONFIG_INVALID`. */
export function requireNetworkMode(mode: string | undefined): void {
  if (mode === undefined || parseNetworkMode(mode) !== undefined) return;
  throw fail('CONFIG_INVALID', {
    what: `there is no network ${JSON.stringify(mode)}`,
    fix: 'use egress, none, host or allow=HOST,...',
  });
}

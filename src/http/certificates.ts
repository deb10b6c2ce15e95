import { readFile } from 'node:fs/promises';
import { createSecureContext, rootCertificates } from 'node:tls';
import { fail } from '../values/error.js';
import { hostCertificates } from './host-certificates.js';
import type { ReachOptions } from './options.js';

/** What a connection to a host is made with, in the words of Node: who is trusted, and who we say that we are. */
export interface Secure {
  readonly ca?: string[];
  readonly cert?: string[];
  readonly key?: string[];
}

/**
 * Finds what a connection to `host[:port]` is made with. Without anything said, it is what Node trusts, and nobody of ours.
 * `aliasesOf` gives the names that people have for a host. Throws `CONFIG_INVALID` for files that cannot be used.
 */
export function secureWith(
  { authorities = [], env, certificateDirectories }: ReachOptions,
  aliasesOf: (host: string) => readonly string[] = () => [],
) {
  return async (host: string): Promise<Secure> => {
    // The port of https is left out of an address, but not by everybody who makes a directory.
    const names = [host, ...(/:\d+$/.test(host) ? [] : [`${host}:443`]), ...aliasesOf(host)];
    const own = await hostCertificates(names, certificateDirectories ?? directoriesIn(env));
    const named = [...(await Promise.all(authorities.map(readAuthority))), ...own.authorities];
    // Node forgets its own variable as soon as authorities are named.
    const extra =
      named.length > 0 && env['NODE_EXTRA_CA_CERTS'] ? [await readAuthority(env['NODE_EXTRA_CA_CERTS'])] : [];
    return {
      ...(named.length === 0 ? {} : { ca: [...rootCertificates, ...named, ...extra] }),
      ...(own.clients.length === 0 ? {} : usable(host, own.clients)),
    };
  };
}

/** Where Podman and Docker look, the user's own first. */
function directoriesIn({ HOME: home, XDG_CONFIG_HOME: config }: ReachOptions['env']): readonly string[] {
  const own = config || (home ? `${home}/.config` : undefined);
  const system = ['/etc/containers/certs.d', '/etc/docker/certs.d'];
  return own === undefined ? system : [`${own}/containers/certs.d`, ...system];
}

async function readAuthority(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unusable(file, error instanceof Error ? error.message : String(error));
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw unusable(file, 'it has no certificate in PEM form');
  return text;
}

function usable(host: string, clients: readonly { readonly cert: string; readonly key: string }[]): Secure {
  const secure = { cert: clients.map(({ cert }) => cert), key: clients.map(({ key }) => key) };
  try {
    createSecureContext(secure);
    return secure;
  } catch (error) {
    throw fail('CONFIG_INVALID', {
      what: `our certificate for ${host} cannot be used`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'put a certificate and its key, as PEM and without a passphrase, into one directory: client.cert and client.key',
    });
  }
}

function unusable(file: string, why: string) {
  return fail('CONFIG_INVALID', { what: `the certificates in ${file} cannot be used`, why, fix: 'name a PEM file' });
}

import { access, constants, realpath } from 'node:fs/promises';
import type { Mount } from './sandbox.js';

/** The CA bundle's name inside every sandbox: Debian's, which any base made from Debian or Ubuntu has. */
export const CA_BUNDLE_INSIDE = '/etc/ssl/certs/ca-certificates.crt';

/** Variables by which users name a CA bundle, the most specific to programs in general first. */
const CA_VARIABLES = [
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'NODE_EXTRA_CA_CERTS',
];

/** Where distributions keep it: Debian, Fedora, openSUSE, Alpine. */
const CA_PLACES = [
  CA_BUNDLE_INSIDE,
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The files of the host that a build may see (R125): name resolution, and the CA bundle that `env` names or the system has.
 * Links are resolved, as resolv.conf often is one into /run. A file that the host does not have is left out.
 */
export async function hostFiles(env: Env): Promise<readonly Mount[]> {
  const found = [
    { from: await firstReadable(['/etc/resolv.conf']), to: '/etc/resolv.conf' },
    { from: await firstReadable(['/etc/hosts']), to: '/etc/hosts' },
    { from: await caBundle(env), to: CA_BUNDLE_INSIDE },
  ];
  return found.flatMap(({ from, to }) => (from === undefined ? [] : [{ from, to, writable: false }]));
}

/** The host's CA bundle, by its real path: the first readable file among those that `env` names and the usual places. */
export async function caBundle(env: Env): Promise<string | undefined> {
  const named = CA_VARIABLES.flatMap((name) => env[name] ?? []).filter((path) => path.startsWith('/'));
  return await firstReadable([...named, ...CA_PLACES]);
}

/**
 * The variables by which programs in a sandbox find the CA bundle: those that `env` sets, with the name inside. With none
 * set, there is nothing to say: programs look in the usual place.
 */
export function caVariables(env: Env): Readonly<Record<string, string>> {
  const named = CA_VARIABLES.some((name) => env[name] !== undefined && env[name] !== '');
  return named ? Object.fromEntries(CA_VARIABLES.map((name) => [name, CA_BUNDLE_INSIDE])) : {};
}

async function firstReadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, constants.R_OK);
      return await realpath(path);
    } catch {
      // The next one, then.
    }
  }
  return undefined;
}

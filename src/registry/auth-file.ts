import { readFile } from 'node:fs/promises';
import { fail, isFailure, systemCode } from '../values/error.js';
import { asObject, asString, asStringMap, type Located, member, optional, parseJson } from '../values/json.js';
import type { Credentials } from './credentials.js';

/** Docker's `config.json` or Podman's `auth.json`; both have the same form. */
export interface AuthFile {
  /** The name of the program that keeps the secrets of a registry. */
  readonly helperFor: (host: string) => string | undefined;
  /** Whether that program is named for this registry, and not for all. */
  readonly hasOwnHelper: (host: string) => boolean;
  /** What it says something about: `ghcr.io`, `ghcr.io/acme`. */
  readonly names: readonly string[];
  /** What the file itself has: the entry for the longest part of the repository's path, or for the host. */
  readonly entryFor: (host: string, repository: string) => Credentials | undefined;
}

const NOTHING: AuthFile = {
  helperFor: () => undefined,
  hasOwnHelper: () => false,
  names: [],
  entryFor: () => undefined,
};

/** Reads a file; one that need not be there counts as empty. Throws `REGISTRY_CREDENTIALS`, which says nothing of what is in it. */
export async function readAuthFile(path: string, must: boolean): Promise<AuthFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (!must && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return undefined;
    throw unreadable(
      path,
      systemCode(error) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${systemCode(error)})`,
    );
  });
  if (bytes === undefined || bytes.toString().trim() === '') return NOTHING;
  try {
    return parseAuthFile(parseJson(bytes, path, 'REGISTRY_CREDENTIALS'));
  } catch (error) {
    // The words of a parser may quote what it could not read.
    throw unreadable(path, isFailure(error) ? error.message : 'it is not of the known form');
  }
}

function parseAuthFile(root: Located): AuthFile {
  const helpers = Object.entries(optional(member(root, 'credHelpers'), asStringMap) ?? {});
  const store = optional(member(root, 'credsStore'), asString);
  const auths = optional(member(root, 'auths'), (located) =>
    Object.keys(asObject(located)).map((key) => ({ key: plainKey(key), entry: parseEntry(member(located, key)) })),
  );
  const ownHelper = (host: string) => helpers.find(([key]) => plainKey(key) === host)?.[1] || undefined;
  return {
    helperFor: (host) => ownHelper(host) ?? (store || undefined),
    hasOwnHelper: (host) => ownHelper(host) !== undefined,
    names: [...new Set([...helpers.map(([key]) => plainKey(key)), ...(auths ?? []).map(({ key }) => key)])],
    entryFor: (host, repository) =>
      keysOf(host, repository)
        .map((wanted) => auths?.find(({ key, entry }) => key === wanted && entry !== undefined)?.entry)
        .find((entry) => entry !== undefined),
  };
}

/** An entry without secrets is a mark that a helper has them. */
function parseEntry(entry: Located): Credentials | undefined {
  const text = (name: string) => optional(member(entry, name), asString) || undefined;
  const [token, identity, auth] = [text('registrytoken'), text('identitytoken'), text('auth')];
  if (token !== undefined) return { kind: 'token', token };
  if (identity !== undefined) return { kind: 'identity', token: identity };
  if (auth !== undefined) {
    const decoded = Buffer.from(auth, 'base64').toString().replace(/\0+$/, '');
    const at = decoded.indexOf(':');
    if (at < 1) throw fail('REGISTRY_CREDENTIALS', { what: `${entry.at}: auth is not USER:PASSWORD in base64` });
    return { kind: 'password', user: decoded.slice(0, at), password: decoded.slice(at + 1) };
  }
  const [user, password] = [text('username'), text('password')];
  return user === undefined || password === undefined ? undefined : { kind: 'password', user, password };
}

/** `ghcr.io/acme/shop`, `ghcr.io/acme`, `ghcr.io`. */
function keysOf(host: string, repository: string): readonly string[] {
  const parts = repository.split('/');
  return [...parts.map((_, at) => [host, ...parts.slice(0, parts.length - at)].join('/')), host];
}

/** Keys may be URLs, as old versions of Docker wrote them. */
function plainKey(key: string): string {
  const plain = key
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/(v[12]\/?)?$/, '');
  return ['index.docker.io', 'registry-1.docker.io'].includes(plain) ? 'docker.io' : plain;
}

function unreadable(path: string, why: string) {
  return fail('REGISTRY_CREDENTIALS', {
    what: `the file with credentials ${path} cannot be used`,
    why,
    fix: 'write it with `docker login` or `podman login`, or name another one with --authfile',
    details: { path },
  });
}

import { type Digest, parseDigest } from '../values/digest.js';
import { fail } from '../values/error.js';
import { defined } from '../values/json.js';

/** An image in a registry, by the parts of its reference. */
export interface ImageName {
  /** Host and port, as written in full references; `docker.io` for Docker Hub. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** Docker Hub goes by several names; the last one is where it answers. */
const HUB = 'docker.io';
const HUB_HOSTS: ReadonlySet<string> = new Set([HUB, 'index.docker.io', 'registry-1.docker.io']);
const HUB_ENDPOINT = 'registry-1.docker.io';

/**
 * Takes a reference apart. Without a host it means Docker Hub, where a single name is below `library/`; without tag and
 * digest it means the tag `latest`. Throws `REFERENCE_INVALID` for a host that cannot be one.
 */
export function parseName(reference: string): ImageName {
  const [, host, path = '', tag, digest] =
    /^(?:([^/]*[.:][^/]*|localhost)\/)?([^:@]+)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(reference) ??
    [];
  const name = { host: hostOf(host, reference), repository: path };
  requireRepository(name, reference);
  const isOfficial = name.host === HUB && !path.includes('/');
  return defined({
    host: name.host,
    repository: isOfficial ? `library/${path}` : path,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest: digest === undefined ? undefined : parseDigest(digest),
  });
}

/** Reads the name of a registry, `HOST[:PORT]`, as it stands at the front of a reference. Throws `REFERENCE_INVALID`. */
export function parseHost(text: string): string {
  if (!/^[^/]*[.:][^/]*$|^localhost$/.test(text))
    throw invalidHost(text, 'a host has a dot or a port, or is localhost');
  return hostOf(text, text);
}

/** The reference in full: host, repository, and tag, or the digest where there is no tag. */
export function formatName({ host, repository, tag, digest }: ImageName): string {
  return `${host}/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`;
}

/** Where the API of a host answers. */
export function endpointOf(host: string): string {
  return host === HUB ? HUB_ENDPOINT : host;
}

/** What else people call the host where an API answers. */
export function aliasesOf(endpoint: string): readonly string[] {
  return endpoint === HUB_ENDPOINT ? [HUB] : [];
}

/** `localhost`, names, and addresses as they are written everywhere (an IPv6 one in brackets), with a port if need be. */
function hostOf(text: string | undefined, reference: string): string {
  if (text === undefined) return HUB;
  const host = text.toLowerCase();
  const [, name = '', port] = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]+))?$/.exec(host) ?? [];
  const labels = name.split('.');
  const areLabels = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  const isPort = port === undefined || (/^[1-9]/.test(port) && Number(port) <= 65535);
  // An address in another form (0x7f.1) is not the host that it seems to be.
  const isItself =
    (areLabels || name.startsWith('[')) &&
    URL.canParse(`http://${name}`) &&
    new URL(`http://${name}`).hostname === name;
  if (isItself && isPort) return HUB_HOSTS.has(host) ? HUB : host;
  throw invalid(reference, `${JSON.stringify(text)} is not a host, or not a port`);
}

function requireRepository({ host, repository }: ImageName, reference: string): void {
  const grammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
  if (grammar.test(repository) && host.length + repository.length < 255) return;
  throw invalid(reference, 'a repository has lower-case letters, digits, `.`, `_`, `-` and `/`, at most 255 in all');
}

function invalidHost(text: string, why: string) {
  return fail('REFERENCE_INVALID', {
    what: `${JSON.stringify(text.slice(0, 200))} does not name a registry`,
    why,
    fix: 'write it as HOST[:PORT], such as ghcr.io',
  });
}

function invalid(reference: string, why: string) {
  return fail('REFERENCE_INVALID', {
    what: `${JSON.stringify(reference.slice(0, 200))} does not name an image in a registry`,
    why,
    fix: 'write it as HOST[:PORT]/REPOSITORY[:TAG], such as ghcr.io/acme/shop:1',
  });
}

import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { json, refuse, serve, type TestServer } from './registry.js';
import { selfSigned } from './tls.js';

/** A small token server, as registries have one beside them. */
export interface TokenServer extends TestServer {
  /** For the registry: lets in who has a token for what the request does. */
  readonly challenge: (authorization: string | undefined, request: IncomingMessage) => string | undefined;
  /** Makes all tokens worthless. */
  readonly expire: () => void;
  /** What was asked for, one list of scopes for each token. */
  readonly asked: (readonly string[])[];
}

export interface TokenOptions {
  /** Passwords by user. Without any, everybody may do everything. */
  readonly users?: Readonly<Record<string, string>>;
  /** Identity tokens that are exchanged for tokens. */
  readonly identities?: readonly string[];
  /** What else stands in the answer. */
  readonly more?: object;
  readonly realm?: (url: string) => string;
}

export async function serveTokens({
  users,
  identities = [],
  more = {},
  realm,
}: TokenOptions = {}): Promise<TokenServer> {
  const given = new Map<string, readonly string[]>();
  const asked: (readonly string[])[] = [];
  let count = 0;
  const give = (scopes: readonly string[]) => {
    count += 1;
    asked.push(scopes);
    given.set(`token-${count}`, scopes);
    return { token: `token-${count}`, ...more };
  };
  const server = await serve(async (request, response, body) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      const form = new URLSearchParams((await body()).toString());
      if (!identities.includes(form.get('refresh_token') ?? '')) return refuse(response, 401, 'UNAUTHORIZED', 'no');
      const { token, ...rest } = give((form.get('scope') ?? '').split(' '));
      return json(response, 200, { access_token: token, ...rest });
    }
    const [user = '', password] = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64')
      .toString()
      .split(':');
    const isKnown = users === undefined || (user in users && users[user] === password);
    if (!isKnown && request.headers.authorization !== undefined) return refuse(response, 401, 'UNAUTHORIZED', 'no');
    // Nobody may read what is public, and gets a token for that alone.
    const scopes = url.searchParams.getAll('scope').map((scope) => (isKnown ? scope : scope.replace(/:[^:]*$/, ':')));
    return json(response, 200, give(scopes));
  });
  const isAllowed = (authorization: string | undefined, { method = '', url = '' }: IncomingMessage) => {
    const scopes = given.get(authorization?.replace(/^Bearer /, '') ?? '') ?? [];
    const [, repository] = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(url) ?? [];
    const from = new URL(url, 'http://localhost').searchParams.get('from');
    const may = (name: string | undefined, action: string) =>
      scopes.some((scope) => scope.startsWith(`repository:${name}:`) && scope.includes(action));
    return may(repository, ['GET', 'HEAD'].includes(method) ? 'pull' : 'push') && (from === null || may(from, 'pull'));
  };
  return {
    ...server,
    asked,
    expire: () => given.clear(),
    challenge: (authorization, request) =>
      isAllowed(authorization, request)
        ? undefined
        : `Bearer realm="${(realm ?? ((url) => `${url}/token`))(server.url)}",service="test, with comma",scope="repository:*:*"`,
  };
}

/** A token server whose tokens docker-registry believes: JSON Web Tokens, signed by the key of a certificate. */
export async function serveSignedTokens(
  user: { readonly name: string; readonly password: string },
  issuer: string,
): Promise<TestServer & { readonly certificate: string }> {
  const { key, cert } = selfSigned();
  const known = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const server = await serve(({ url = '', headers }, response) => {
    if (headers.authorization !== undefined && headers.authorization !== known)
      return refuse(response, 401, 'UNAUTHORIZED', 'no');
    const query = new URL(url, 'http://localhost').searchParams;
    const access = query.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: headers.authorization === undefined ? [] : actions.split(',') };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: user.name,
      aud: query.get('service'),
      nbf: now - 10,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      access,
    };
    const signed = `${part({ typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(cert).raw.toString('base64')] })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' });
    return json(response, 200, { token: `${signed}.${signature.toString('base64url')}` });
  });
  return { ...server, certificate: cert };
}

import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { digestOf } from '../../src/values/digest.js';

/** A request that came, and what was answered. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of the body that came. */
  bytes: number;
  status: number;
}

/** What goes wrong: gets a request first. True when it has answered, or broken off, by itself. */
export type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
  body: () => Promise<Buffer>,
) => boolean | Promise<boolean>;

/** A server in this process, over true HTTP. */
export interface TestServer {
  /** Such as `127.0.0.1:4711`. */
  readonly host: string;
  readonly url: string;
  readonly seen: Seen[];
  /** The next `times` requests that match go wrong; all of them if `times` is not given. */
  readonly fault: (match: (request: IncomingMessage) => boolean, fault: Fault, times?: number) => void;
  /** Answers CONNECT, as proxies do. */
  readonly onConnect: (open: (target: string, authorization: string | undefined, socket: Duplex) => void) => void;
  readonly close: () => Promise<void>;
}

export interface TestRegistry extends TestServer {
  readonly blobs: Map<string, Map<string, Buffer>>;
  readonly manifests: Map<string, Map<string, { readonly type: string; readonly bytes: Buffer }>>;
}

export interface RegistryOptions {
  /** Decides about a request by its Authorization: undefined lets it in, a text is the challenge to answer 401 with. */
  readonly challenge?: (authorization: string | undefined, request: IncomingMessage) => string | undefined;
  /** Whether blobs can be mounted from other repositories. */
  readonly mounts?: boolean;
  /** Whether there is a referrers API. */
  readonly referrers?: boolean;
  /** Whether tags are moved only from what `If-Match` names. */
  readonly compares?: boolean;
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    /** Lets in only who shows a certificate of this authority. */
    readonly ca?: string;
    readonly requestCert?: boolean;
  };
  /** The address to listen at; 127.0.0.1 if absent. */
  readonly at?: string;
}

/** A registry that keeps all in memory (distribution-spec 1.1), as strict as registries are about uploads. */
export async function serveRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const blobs: TestRegistry['blobs'] = new Map();
  const manifests: TestRegistry['manifests'] = new Map();
  const uploads = new Map<string, Buffer>();
  const server = await serve(
    async (request, response, body) => {
      const challenge = options.challenge?.(request.headers.authorization, request);
      if (challenge !== undefined) {
        response.setHeader('www-authenticate', challenge);
        return refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
      }
      return answer({ blobs, manifests, uploads, options }, request, response, body);
    },
    options.tls,
    options.at,
  );
  return { ...server, blobs, manifests };
}

/** Answers whatever `handle` answers. */
export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse, body: () => Promise<Buffer>) => unknown,
  tls?: RegistryOptions['tls'],
  at = '127.0.0.1',
): Promise<TestServer> {
  const seen: Seen[] = [];
  const tunnels: Duplex[] = [];
  const faults: { match: (request: IncomingMessage) => boolean; fault: Fault; left: number }[] = [];
  const listen = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    const entry: Seen = { method, url, headers, bytes: 0, status: 0 };
    seen.push(entry);
    request.on('data', (chunk: Buffer) => {
      entry.bytes += chunk.byteLength;
    });
    request.pause();
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    response.on('close', () => {
      entry.status = response.statusCode;
    });
    const body = async () => Buffer.concat(await request.toArray());
    const wrong = faults.find(({ match, left }) => left > 0 && match(request));
    if (wrong !== undefined) wrong.left -= 1;
    try {
      if (wrong !== undefined && (await wrong.fault(request, response, body))) return;
      await handle(request, response, body);
    } catch {
      response.destroy();
    }
    request.resume();
  };
  const server: Server = tls === undefined ? createServer(listen) : createSecureServer({ ...tls }, listen);
  await new Promise<void>((resolve) => server.listen(0, at, resolve));
  const host = `${at.includes(':') ? `[${at}]` : at}:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    seen,
    fault: (match, fault, times = Number.POSITIVE_INFINITY) => void faults.push({ match, fault, left: times }),
    onConnect: (open) =>
      void server.on('connect', ({ url = '', headers }, socket) => {
        tunnels.push(socket);
        open(url, headers['proxy-authorization'], socket);
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of tunnels) socket.destroy();
      }),
  };
}

interface State extends Pick<TestRegistry, 'blobs' | 'manifests'> {
  readonly uploads: Map<string, Buffer>;
  readonly options: RegistryOptions;
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse, body: () => Promise<Buffer>) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const [, repository = '', what, rest = ''] =
    /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
  switch (what) {
    case 'manifests':
      return manifest(state, repository, rest, request, response, await body());
    case 'blobs':
      return blob(state, repository, rest, request, response);
    case 'blobs/uploads':
      return upload(state, repository, rest, url, request, response, await body());
    case 'tags': {
      const tags = [...(state.manifests.get(repository)?.keys() ?? [])].filter((name) => !name.includes(':'));
      return json(response, 200, { name: repository, tags });
    }
    case 'referrers':
      return referrers(state, repository, rest, response);
    default:
      return json(response, url.pathname === '/v2/' ? 200 : 404, {});
  }
}

function manifest(
  { manifests, blobs, options }: State,
  repository: string,
  reference: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
) {
  const all = manifests.get(repository) ?? new Map();
  if (method === 'PUT') {
    const digest = digestOf(bytes);
    const old = all.get(reference);
    const compared = headers['if-match'];
    if (options.compares && compared !== undefined && `"${old && digestOf(old.bytes)}"` !== compared)
      return refuse(response, 412, 'DENIED', 'precondition failed');
    const { layers = [], config, subject } = JSON.parse(bytes.toString());
    const missing = [...layers, ...(config ? [config] : [])].find(
      (item) => item.urls === undefined && !blobs.get(repository)?.has(item.digest),
    );
    if (missing !== undefined) return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN', `blob unknown: ${missing.digest}`);
    const entry = { type: headers['content-type'] ?? '', bytes };
    manifests.set(repository, all.set(reference, entry).set(digest, entry));
    if (options.referrers && subject) response.setHeader('oci-subject', subject.digest);
    response.writeHead(201, { location: `/v2/${repository}/manifests/${digest}`, 'docker-content-digest': digest });
    return response.end();
  }
  const found = all.get(reference);
  if (found === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  response.writeHead(200, {
    'content-type': found.type,
    'content-length': found.bytes.byteLength,
    'docker-content-digest': digestOf(found.bytes),
    etag: `"${digestOf(found.bytes)}"`,
  });
  return response.end(method === 'HEAD' ? undefined : found.bytes);
}

function blob(
  { blobs }: State,
  repository: string,
  digest: string,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const found = blobs.get(repository)?.get(digest);
  if (found === undefined) return refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  return sendBytes(request, response, found);
}

/** Sends bytes, or the part that is asked for. */
export function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Buffer) {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  response.writeHead(from === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': bytes.byteLength - start,
    ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}` }),
  });
  return response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
}

function upload(
  { blobs, uploads, options }: State,
  repository: string,
  id: string,
  url: URL,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
) {
  const put = (digest: string, content: Buffer) => {
    blobs.set(repository, (blobs.get(repository) ?? new Map()).set(digest, content));
    response.writeHead(201, { location: `/v2/${repository}/blobs/${digest}` });
    return response.end();
  };
  const goOn = (status: number, session: string) => {
    const size = uploads.get(session)?.byteLength ?? 0;
    response.writeHead(status, {
      location: `/v2/${repository}/blobs/uploads/${session}?state=a%2Fb`,
      range: `0-${Math.max(size - 1, 0)}`,
    });
    return response.end();
  };
  const [mount, from] = [url.searchParams.get('mount'), url.searchParams.get('from')];
  if (method === 'POST') {
    const there = options.mounts !== false && mount && from ? blobs.get(from)?.get(mount) : undefined;
    if (mount && there !== undefined) return put(mount, there);
    const session = randomUUID();
    uploads.set(session, Buffer.alloc(0));
    return goOn(202, session);
  }
  const before = uploads.get(id);
  // What follows the name of a session is a part of it.
  if (before === undefined || url.searchParams.get('state') !== 'a/b')
    return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'upload unknown');
  if (method === 'DELETE') {
    uploads.delete(id);
    response.writeHead(204);
    return response.end();
  }
  if (method === 'GET') return goOn(204, id);
  const [, start] = /^(\d+)-\d+$/.exec(headers['content-range'] ?? '') ?? [];
  if (start !== undefined && Number(start) !== before.byteLength)
    return refuse(response, 416, 'RANGE_INVALID', 'out of order');
  const all = Buffer.concat([before, bytes]);
  if (method === 'PATCH') {
    uploads.set(id, all);
    return goOn(202, id);
  }
  uploads.delete(id);
  const digest = url.searchParams.get('digest') ?? '';
  if (`sha256:${createHash('sha256').update(all).digest('hex')}` !== digest)
    return refuse(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  return put(digest, all);
}

function referrers({ manifests, options }: State, repository: string, digest: string, response: ServerResponse) {
  if (!options.referrers) return refuse(response, 404, 'UNSUPPORTED', 'page not found');
  const all = [...(manifests.get(repository) ?? [])].filter(([name]) => name.startsWith('sha256:'));
  const found = all.flatMap(([name, { type, bytes }]) => {
    const { subject, artifactType, config, annotations } = JSON.parse(bytes.toString());
    const described = { mediaType: type, digest: name, size: bytes.byteLength };
    return subject?.digest === digest
      ? [{ ...described, artifactType: artifactType ?? config?.mediaType, annotations }]
      : [];
  });
  const type = 'application/vnd.oci.image.index.v1+json';
  return json(response, 200, { schemaVersion: 2, mediaType: type, manifests: found }, type);
}

export function refuse(response: ServerResponse, status: number, code: string, message: string) {
  return json(response, status, { errors: [{ code, message }] });
}

export function json(response: ServerResponse, status: number, value: object, type = 'application/json') {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.byteLength });
  return response.end(bytes);
}

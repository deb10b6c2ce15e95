import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { guardedLookup, isInternal } from '../http/addresses.js';
import { isAllowed } from './mode.js';
import type { Reached } from './reached.js';

interface ProxyRules {
  readonly allowed: readonly string[];
  /** `HOST:PORT` that the operator names: these may be on private addresses. */
  readonly trusted: readonly string[];
  readonly reached: (reached: Reached) => void;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

const IDLE_MS = 120_000;

/** An HTTP proxy (RFC 9110: CONNECT, and absolute URLs) for the hosts of a list. It is given its connections. */
export function allowProxy(rules: ProxyRules): Server {
  const server = createServer((request, response) => passOn(request, response, rules));
  server.on('connect', (request, socket, head) => tunnel(request, socket, head, rules));
  server.on('clientError', (_, socket) => socket.destroy());
  return server;
}

function tunnel(request: IncomingMessage, near: Duplex, head: Buffer, rules: ProxyRules): void {
  near.on('error', () => undefined);
  const target = targetOf(`http://${request.url}`, 443);
  if (target === undefined) return void near.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  if (!decide(target, rules)) return void near.end(`HTTP/1.1 403 Forbidden\r\n\r\n${refusal(target)}`);
  const far = connect({ ...target, ...lookupFor(target, rules) });
  far.setTimeout(IDLE_MS, () => far.destroy());
  far.once('connect', () => {
    near.write('HTTP/1.1 200 Connection established\r\n\r\n');
    far.write(head);
    near.pipe(far).pipe(near);
  });
  far.on('error', (error) => {
    if (far.bytesRead === 0) near.end(`HTTP/1.1 502 Bad Gateway\r\n\r\n${error.message}\n`);
    else near.destroy();
  });
  far.on('close', () => near.end());
  near.on('close', () => far.destroy());
}

function passOn(request: IncomingMessage, response: ServerResponse, rules: ProxyRules): void {
  const target = targetOf(request.url ?? '', 80);
  if (target === undefined || !/^http:/i.test(request.url ?? '')) return void response.writeHead(400).end();
  if (!decide(target, rules)) return void response.writeHead(403).end(refusal(target));
  const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = request.headers;
  const { method } = request;
  const onward = httpRequest(new URL(request.url ?? ''), {
    ...(method ? { method } : {}),
    headers,
    ...lookupFor(target, rules),
  });
  onward.setTimeout(IDLE_MS, () => onward.destroy());
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', (error) =>
    response.headersSent ? response.destroy() : response.writeHead(502).end(error.message),
  );
  request.pipe(onward);
}

function targetOf(text: string, usualPort: number): Target | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // A URL of http leaves its usual port out, also where it was written.
  const port = url.port !== '' ? Number(url.port) : /:80$/.test(text) ? 80 : usualPort;
  return url.hostname === '' ? undefined : { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function decide(target: Target, rules: ProxyRules): boolean {
  const ok =
    isTrusted(target, rules) || (isAllowed(rules.allowed, target.host, target.port) && !isPrivateLiteral(target.host));
  rules.reached({ host: `${target.host}:${target.port}`, outcome: ok ? 'allowed' : 'refused' });
  return ok;
}

/** What is looked up is what is connected to: a name that changes its address in between gains nothing. */
function lookupFor(target: Target, rules: ProxyRules) {
  return isTrusted(target, rules) ? {} : { lookup: guardedLookup as never };
}

function isTrusted({ host, port }: Target, { trusted }: ProxyRules): boolean {
  return trusted.includes(`${host}:${port}`);
}

function isPrivateLiteral(host: string): boolean {
  return /^[\d.]+$|:/.test(host) && isInternal(host);
}

function refusal({ host, port }: Target): string {
  return `${host}:${port} is not among the hosts that --network allow=... names\n`;
}

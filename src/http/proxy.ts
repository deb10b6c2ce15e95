import { type ClientRequest, request } from 'node:http';
import { type Agent, request as secureRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { fail } from '../values/error.js';

/** How long a proxy may take to open a tunnel. */
const ANSWER_MS = 30_000;

type Env = Readonly<Record<string, string>>;

/** The proxy for a URL, as `https_proxy` and `no_proxy` say. Plain HTTP goes without one: such registries are near. */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const text = env['https_proxy'] || env['HTTPS_PROXY'] || env['all_proxy'] || env['ALL_PROXY'];
  if (url.protocol !== 'https:' || !text || isExcepted(url, env['no_proxy'] || env['NO_PROXY'] || '')) return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (/^https?:/i.test(full) && URL.canParse(full)) return new URL(full);
  throw fail('REGISTRY_UNREACHABLE', {
    what: 'the proxy for registries cannot be used',
    why: 'https_proxy is not the address of an HTTP proxy',
    fix: 'write it as http://HOST:PORT',
  });
}

/** Makes an agent open its connections through a proxy (RFC 9110, CONNECT). */
export function tunnelThrough(proxy: URL, agent: Agent, secure: ConnectionOptions): Agent {
  const open = (
    options: { readonly host: string; readonly port: number },
    done: (error: unknown, socket?: Socket) => void,
  ) => {
    const target = `${isIP(options.host) === 6 ? `[${options.host}]` : options.host}:${options.port}`;
    const asked = askForTunnel(proxy, target);
    asked.once('error', done);
    asked.setTimeout(ANSWER_MS, () => asked.destroy(refused(proxy, target, 'it does not answer')));
    asked.once('connect', (answer, socket) => {
      socket.setTimeout(0);
      // A server is not told the name that it was called by if that is an address.
      const server = { host: options.host, ...(isIP(options.host) === 0 ? { servername: options.host } : {}) };
      if (answer.statusCode === 200) return done(null, connect({ ...secure, ...server, socket }));
      socket.destroy();
      return done(refused(proxy, target, `it answered ${answer.statusCode}`));
    });
    asked.end();
  };
  return Object.assign(agent, { createConnection: open });
}

function refused(proxy: URL, target: string, why: string) {
  return fail('REGISTRY_UNREACHABLE', {
    what: `the proxy ${proxy.host} does not let us through to ${target}: ${why}`,
    fix: 'check https_proxy, and no_proxy for what needs none',
  });
}

function askForTunnel(proxy: URL, target: string): ClientRequest {
  const user = decodeURIComponent(proxy.username);
  const basic = Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`).toString('base64');
  const headers = { host: target, ...(user === '' ? {} : { 'proxy-authorization': `Basic ${basic}` }) };
  const ask = proxy.protocol === 'https:' ? secureRequest : request;
  const port = proxy.port || (proxy.protocol === 'https:' ? 443 : 80);
  return ask({ host: bare(proxy.hostname), port, method: 'CONNECT', path: target, headers, agent: false });
}

/** `no_proxy` has names, with or without a leading dot, that also stand for what is below them; `*` is all. */
function isExcepted(url: URL, list: string): boolean {
  const host = bare(url.hostname);
  return list
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '')
    .some((item) => {
      const [name, port] = exceptionOf(item);
      if (item === '*') return true;
      if (port !== undefined && port !== (url.port || '443')) return false;
      return host === name || host.endsWith(`.${name}`);
    });
}

/** An IPv6 address is written with brackets or without; only with them it has a port. */
function exceptionOf(item: string): readonly [name: string, port: string | undefined] {
  if (isIP(item) === 6) return [bare(new URL(`http://[${item}]`).hostname), undefined];
  const [, name = '', port] = /^\*?\.?(\[.*\]|.*?)(?::(\d+))?$/.exec(item) ?? [];
  return [bare(name), port];
}

/** Node wants an IPv6 address without the brackets of a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

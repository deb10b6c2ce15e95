import { Readable } from 'node:stream';
import { fail } from '../values/error.js';
import { type Addresses, agents } from './agents.js';
import { networkFailure, visible } from './network-failure.js';
import { steady } from './steady.js';

/** Bytes to send, which can be opened again for another try. */
export interface Body {
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a server answered. Either `bytes` is read, or `drop` is awaited; a short rest is read then, to keep the connection. */
export interface Answer {
  readonly status: number;
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly drop: () => Promise<void>;
}

export interface HttpOptions extends Addresses {
  /** How long a server may say nothing while it has all that it needs, in milliseconds. */
  readonly silenceMs: number;
  /** The least that must arrive within `silenceMs` while a body is read, in bytes. */
  readonly leastBytes: number;
}

/** Sends one request: no redirect is followed, nothing is tried again, and no content is decoded. */
export type Http = (request: HttpRequest) => Promise<Answer>;

/**
 * HTTP over connections that are kept open. An answer whose content is encoded is refused, since digests are those of the
 * bytes as they are stored. Throws `REGISTRY_UNREACHABLE`, `REGISTRY_TIMEOUT`, `REGISTRY_ADDRESS`, `REGISTRY_INVALID`.
 */
export function http(options: HttpOptions): Http {
  const agentFor = agents(options);
  return async (request) => {
    // Most runs ask no registry, and need not wait until this is loaded.
    const { default: fetch } = await import('node-fetch');
    const { url, method, signal } = request;
    const agent = await agentFor(url);
    const stop = stopper(signal);
    const silence = alarm(options.silenceMs * (request.body === undefined ? 1 : PATIENCE), () => stop.now('silent'));
    const sent = { isWhole: request.body === undefined };
    try {
      const response = await fetch(url.href, {
        method,
        headers: { ...request.headers, ...lengthOf(request.body), 'accept-encoding': 'identity' },
        body: request.body === undefined ? null : Readable.from(heard(request.body.open(), silence, sent)),
        redirect: 'manual',
        compress: false,
        highWaterMark: 1 << 20,
        agent,
        signal: stop.signal,
      });
      silence.stop();
      const header = (name: string) => response.headers.get(name) ?? undefined;
      requirePlain(url, header('content-encoding'), stop);
      const body = response.body as Readable | null;
      // Who drops an answer hears no more of it.
      body?.on('error', () => undefined);
      const bytes = readable(body, url, options, stop);
      const isShort =
        sent.isWhole && (method === 'HEAD' || Number(header('content-length') ?? MAX_DRAINED) < MAX_DRAINED);
      return { status: response.status, url, header, bytes, drop: () => drop(isShort ? bytes : undefined, stop) };
    } catch (error) {
      silence.stop();
      throw networkFailure(error, url, stop.why(), signal);
    }
  };
}

/** Who got a layer may have to copy and to hash it before it answers. */
const PATIENCE = 5;

/** A longer rest costs more than a new connection. */
const MAX_DRAINED = 64 * 1024;

async function drop(rest: AsyncIterable<Uint8Array> | undefined, stop: Stopper): Promise<void> {
  try {
    for await (const _ of rest ?? []);
  } catch {
    // Nobody wants these bytes.
  }
  stop.now('dropped');
}

type Stopper = ReturnType<typeof stopper>;

function stopper(outer: AbortSignal | undefined) {
  const controller = new AbortController();
  let why: 'silent' | 'slow' | 'dropped' | undefined;
  return {
    signal: outer === undefined ? controller.signal : AbortSignal.any([outer, controller.signal]),
    outer,
    why: () => why,
    now: (reason: 'silent' | 'slow' | 'dropped') => {
      why ??= reason;
      // Without a reason, one is made with a stack, each time.
      controller.abort(reason);
    },
  };
}

function alarm(afterMs: number, ring: () => void) {
  const timer = setTimeout(ring, afterMs);
  return { again: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

/** As long as bytes go out, the server is not silent. */
async function* heard(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  silence: ReturnType<typeof alarm>,
  sent: { isWhole: boolean },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    silence.again();
    yield chunk;
  }
  silence.again();
  sent.isWhole = true;
}

/** Without a length, bytes would be sent in chunks, which registries refuse. */
function lengthOf(body: Body | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(body.size) };
}

function requirePlain(url: URL, encoding: string | undefined, stop: Stopper): void {
  if (encoding === undefined || encoding === 'identity') return;
  stop.now('dropped');
  throw fail('REGISTRY_INVALID', {
    what: `${url.host} sent encoded content that nobody asked for`,
    why: `Content-Encoding: ${visible(encoding)}; digests are those of the plain bytes`,
    fix: 'a proxy on the way may do this: let it leave answers as they are',
  });
}

async function* readable(
  body: Readable | null,
  url: URL,
  options: HttpOptions,
  stop: Stopper,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  try {
    yield* steady(body, options, () => stop.now('slow'));
  } catch (error) {
    throw networkFailure(error, url, stop.why(), stop.outer);
  } finally {
    stop.now('dropped');
  }
}

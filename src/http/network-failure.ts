import { fail, isFailure, systemCode } from '../values/error.js';

/**
 * The error for a request that had no answer, or an answer that broke off. The original is not kept: its text has the whole
 * URL, and with it whatever a server signed.
 */
export function networkFailure(
  error: unknown,
  url: URL,
  stopped: 'silent' | 'slow' | 'dropped' | undefined,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted) return signal.reason ?? error;
  if (stopped === 'silent' || stopped === 'slow') {
    return fail('REGISTRY_TIMEOUT', {
      what: `${url.host} ${stopped === 'silent' ? 'does not answer' : 'sends too slowly'}`,
      why: `asked for ${url.pathname}`,
      fix: 'try again; if it repeats, see whether a proxy or a firewall holds the connection',
      details: { host: url.host },
    });
  }
  if (isFailure(error)) return error;
  const reason = reasonOf(error);
  // What was thrown while a name was resolved comes without all but its text and its code.
  if (systemCode(error) === 'REGISTRY_ADDRESS') {
    return fail('REGISTRY_ADDRESS', {
      what: reason,
      why: 'the name leads to this machine or into a private network',
      fix: `if that is right, say so: --trust-host ${url.host}`,
      details: { host: url.host },
    });
  }
  return fail('REGISTRY_UNREACHABLE', {
    what: `the connection to ${url.host} failed`,
    why: reason,
    fix: fixFor(reason, url),
    details: { host: url.host, system: systemCode(error) ?? systemCode(causeOf(error)) ?? null },
  });
}

/** Text of a server, fit to be shown: one line, no control characters, not too long. */
export function visible(text: string, most = 200): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, ' ').trim();
  return plain.length > most ? `${plain.slice(0, most)}…` : plain;
}

/** What is behind the URL in the words of node-fetch. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return visible(/reason: (.*)$/s.exec(message)?.[1] ?? message.replace(/https?:\/\/\S+/g, 'the address'));
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function fixFor(reason: string, url: URL): string {
  if (/wrong version number|packet length too long|EPROTO/.test(reason))
    return `if ${url.host} speaks plain HTTP, say so: --insecure-registry ${url.host}`;
  if (/certificate required|handshake failure|bad certificate/.test(reason))
    return `if it asks who we are, put client.cert and client.key into ~/.config/containers/certs.d/${url.host}`;
  if (/certificate|issuer/.test(reason))
    return 'if its certificate is from an authority of your own, name that: --ca-cert FILE';
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'check the name of the registry';
  if (/ECONNREFUSED/.test(reason)) return `nothing listens there: check the name and the port of ${url.host}`;
  return 'try again; if it repeats, see whether a proxy or a firewall ends the connection';
}

import { describe, expect, it } from '@jest/globals';
import { networkFailure, visible } from '../../../src/http/network-failure.js';

const url = new URL('https://host.example/v2/a?signature=secret');
const wrapped = (reason: string, code: string) =>
  Object.assign(new Error(`request to ${url.href} failed, reason: ${reason}`), { code });

describe('the failure of a connection', () => {
  it('REG-3 by a name that leads into a private network is a refusal', () => {
    const error = networkFailure(wrapped('we do not go there', 'REGISTRY_ADDRESS'), url, undefined, undefined);
    expect(error).toMatchObject({ code: 'REGISTRY_ADDRESS', message: 'we do not go there' });
  });

  it.each([
    ['self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', /--ca-cert FILE$/],
    ['ssl3_get_record:wrong version number', 'EPROTO', /--insecure-registry host\.example$/],
    ['getaddrinfo ENOTFOUND host.example', 'ENOTFOUND', /check the name/],
  ])('by %s says what to do', (reason, code, fix) => {
    expect(networkFailure(wrapped(reason, code), url, undefined, undefined)).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      why: reason,
      fix: expect.stringMatching(fix),
      details: { system: code },
    });
  });

  it('REG-20 keeps nothing of the address but host and path', () => {
    for (const error of [wrapped('broken', 'ECONNRESET'), new Error(`Invalid response body of ${url.href}: x`)])
      expect(JSON.stringify(networkFailure(error, url, undefined, undefined))).not.toContain('secret');
  });

  it('is what it was when the work was aborted', () => {
    const reason = new Error('stopped');
    expect(networkFailure(new Error('x'), url, 'dropped', AbortSignal.abort(reason))).toBe(reason);
  });
});

describe('text of a server', () => {
  it('is one line of what can be seen', () => {
    expect(visible('a\r\n\u001b[31mb\u202ec\u2028d')).toBe('a [31mb c d');
    expect(visible('x'.repeat(300))).toBe(`${'x'.repeat(200)}…`);
  });
});

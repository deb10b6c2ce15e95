import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { endpointOf, formatName, parseName } from '../../../src/registry/name.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('the name of an image', () => {
  it.each([
    ['debian', 'docker.io', 'library/debian', 'latest'],
    ['debian:12', 'docker.io', 'library/debian', '12'],
    ['acme/shop', 'docker.io', 'acme/shop', 'latest'],
    ['docker.io/debian:12', 'docker.io', 'library/debian', '12'],
    ['index.docker.io/acme/shop', 'docker.io', 'acme/shop', 'latest'],
    ['ghcr.io/acme/shop:v1.2', 'ghcr.io', 'acme/shop', 'v1.2'],
    ['GHCR.io/acme/shop', 'ghcr.io', 'acme/shop', 'latest'],
    ['localhost/shop:1', 'localhost', 'shop', '1'],
    ['localhost:5000/a/b/c', 'localhost:5000', 'a/b/c', 'latest'],
    ['registry:5000/shop:1', 'registry:5000', 'shop', '1'],
    ['127.0.0.1:5000/shop', '127.0.0.1:5000', 'shop', 'latest'],
    ['[::1]:5000/shop:2', '[::1]:5000', 'shop', '2'],
    ['[2001:DB8::7]/acme/shop', '[2001:db8::7]', 'acme/shop', 'latest'],
  ])('%s is %s, %s and %s', (reference, host, repository, tag) => {
    expect(parseName(reference)).toEqual({ host, repository, tag });
  });

  it('may have a digest, with a tag or without', () => {
    expect(parseName(`ghcr.io/a/b@${DIGEST}`)).toEqual({ host: 'ghcr.io', repository: 'a/b', digest: DIGEST });
    expect(parseName(`ghcr.io/a/b:1@${DIGEST}`)).toEqual({
      host: 'ghcr.io',
      repository: 'a/b',
      tag: '1',
      digest: DIGEST,
    });
  });

  it('is asked for where Docker Hub answers', () => {
    expect(endpointOf('docker.io')).toBe('registry-1.docker.io');
    expect(endpointOf('ghcr.io')).toBe('ghcr.io');
  });

  it.each([
    'user@host.example/a',
    'host.example:0/a',
    'host.example:65536/a',
    'host.example:x/a',
    '[::1]:0/a',
    '[0:0:0:0:0:0:0:1]/a',
    '[::ffff:127.0.0.1]/a',
    '[fe80::1%25eth0]/a',
    '[::1/a',
    '::1/a',
    '[]/a',
    '[12345::]/a',
    '[host.example]/a',
    'ghcr.iо/a',
    'xn--/a.b/..',
    '0x7f.1/a',
    '0177.0.0.1/a',
    '2130706433.0/a',
    '-host.example/a',
    'host..example/a',
    'host_x.example/a',
    'ghcr.io/A/b',
    'ghcr.io/a//b',
    'ghcr.io/a/../b',
    'ghcr.io/a:',
    'ghcr.io/a:.b',
    `ghcr.io/a:${'t'.repeat(129)}`,
    'ghcr.io/a@sha256:abc',
    'ghcr.io/a@md5:abc',
    'ghcr.io/a?b',
    'ghcr.io/a b',
    'ghcr.io/a\n',
    `ghcr.io/${'a'.repeat(255)}`,
    '',
  ])('REG-18 is refused when nobody can have it: %j', (reference) => {
    expect(() => parseName(reference)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  it('REG-18 in full is the same name again, and never leads to another host', () => {
    const host = fc.constantFrom('docker.io', 'ghcr.io', 'localhost:5000', '10.0.0.1', 'a.b.c:1');
    const path = fc.array(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 1, maxLength: 4 });
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/);
    fc.assert(
      fc.property(host, path, tag, (where, parts, name) => {
        const parsed = parseName(`${where}/${parts.join('/')}:${name}`);
        expect(parseName(formatName(parsed))).toEqual(parsed);
        expect(new URL(`https://${endpointOf(parsed.host)}/v2/${parsed.repository}/`).host).toBe(
          endpointOf(parsed.host),
        );
      }),
    );
  });
});

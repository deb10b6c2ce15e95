import { describe, expect, it } from '@jest/globals';
import {
  digestOfPlace,
  formatPlace,
  isFullReference,
  type Place,
  parsePlace,
  unsupportedRegistry,
  withDigest,
} from '../../../src/values/place.js';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parsePlace', () => {
  it.each<readonly [string, object]>([
    ['oci:dir', { kind: 'oci', path: 'dir' }],
    ['oci:dir:v1', { kind: 'oci', path: 'dir', tag: 'v1' }],
    ['oci:/a/b:c/d', { kind: 'oci', path: '/a/b:c/d' }],
    ['oci:/a/b:c/d:v1.0_x-2', { kind: 'oci', path: '/a/b:c/d', tag: 'v1.0_x-2' }],
    ['oci:../with space:1', { kind: 'oci', path: '../with space', tag: '1' }],
    [`oci:dir@${digest}`, { kind: 'oci', path: 'dir', digest }],
    [`oci:dir:v1@${digest}`, { kind: 'oci', path: 'dir', tag: 'v1', digest }],
    ['oci-archive:a.tar', { kind: 'oci-archive', path: 'a.tar' }],
    ['oci-archive:a.tar:v1', { kind: 'oci-archive', path: 'a.tar', tag: 'v1' }],
    ['docker-archive:a.tar', { kind: 'docker-archive', path: 'a.tar' }],
    ['docker-archive:a.tar:shop:1', { kind: 'docker-archive', path: 'a.tar', reference: 'shop:1' }],
    ['docker-archive:a.tar:host:5000/shop:1', { kind: 'docker-archive', path: 'a.tar', reference: 'host:5000/shop:1' }],
    ['docker://docker.io/library/debian:12', { kind: 'registry', reference: 'docker.io/library/debian:12' }],
    ['heroku/heroku:24', { kind: 'registry', reference: 'heroku/heroku:24' }],
    ['localhost:5000/shop', { kind: 'registry', reference: 'localhost:5000/shop' }],
    [`ghcr.io/acme/shop:1@${digest}`, { kind: 'registry', reference: `ghcr.io/acme/shop:1@${digest}` }],
    ['debian', { kind: 'registry', reference: 'debian' }],
    ['docker://[::1]:5000/shop:1', { kind: 'registry', reference: '[::1]:5000/shop:1' }],
    ['[2001:db8::7]/acme/shop', { kind: 'registry', reference: '[2001:db8::7]/acme/shop' }],
  ])('reads %s', (text, place) => {
    expect(parsePlace(text)).toEqual(place);
    expect(parsePlace(formatPlace(parsePlace(text)))).toEqual(place);
  });

  it.each(['docker-daemon:x', 'containers-storage:x', 'slug:x.tgz', 'dir:x'])(
    'knows %s and cannot reach it',
    (text) => {
      expect(() => parsePlace(text)).toThrow(expect.objectContaining({ code: 'PLACE_UNSUPPORTED' }));
    },
  );

  it.each([
    '',
    'oci:',
    'oci::v1',
    'oci:dir:',
    'oci:dir:-v',
    `oci:dir:${'v'.repeat(129)}`,
    'oci-archive:',
    'docker-archive:',
    'docker-archive::x',
    'docker-archive:a:',
    'docker-archive:a:Bad:Ref:x',
    'docker-archive:a:shop:1@sha512:1',
    'docker-archive:a:shop:-1',
    'docker://',
    'Shop',
    '../dir',
    '/dir',
    'shop:',
    'a//b',
    'http://x/y',
    'x'.repeat(600),
    'oci:a\0b',
  ])('refuses %j', (text) => {
    expect(() => parsePlace(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  it.each(['oci:dir:tag@sha256:1', 'oci-archive:a.tar@sha256:', 'docker-archive:a.tar@sha256:AA'])(
    'refuses a digest that is none: %s',
    (text) => {
      expect(() => parsePlace(text)).toThrow(
        expect.objectContaining({
          code: 'REFERENCE_INVALID',
          message: `${text}: ${JSON.stringify(text.replace(/.*@/, ''))} is not a digest`,
          fix: 'write the whole digest, or leave out what follows from the `@` on',
        }),
      );
    },
  );

  it('reads a name that would make a slow grammar hang', () => {
    expect(() => parsePlace(`${'a-'.repeat(250)}!`)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
    expect(() => parsePlace(`${'a_'.repeat(250)}!`)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  it('says what to do where there is no way to a registry', () => {
    expect(unsupportedRegistry('heroku/heroku:24')).toMatchObject({
      code: 'PLACE_UNSUPPORTED',
      fix: expect.stringContaining('registries({ env })'),
    });
  });

  it.each([
    ['oci:dir:tag', `oci:dir:tag@${digest}`],
    [`oci-archive:a.tar@sha256:${'b'.repeat(64)}`, `oci-archive:a.tar@${digest}`],
    ['debian:12', `docker://debian:12@${digest}`],
    [`docker://ghcr.io/a/b@sha256:${'b'.repeat(64)}`, `docker://ghcr.io/a/b@${digest}`],
  ])('names %s by a digest', (text, expected) => {
    const place = withDigest(parsePlace(text), digest as never);
    expect(formatPlace(place)).toBe(expected);
    expect(digestOfPlace(place)).toBe(digest);
    expect(digestOfPlace(parsePlace('ghcr.io/a/b:1'))).toBeUndefined();
  });

  it.each([
    ['ghcr.io/acme/base:run', true],
    ['localhost:5000/base', true],
    ['docker.io/library/debian:12', true],
    ['run', false],
    ['acme/base', false],
    ['debian:12', false],
    ['host.example/Base', false],
    [undefined, false],
  ])('knows whether %s means the same everywhere', (name, expected) => {
    expect(isFullReference(name)).toBe(expected);
  });

  it('writes any place as it is read', () => {
    const place: Place = { kind: 'oci', path: 'a', tag: 'b', digest: digest as never };
    expect(formatPlace(place)).toBe(`oci:a:b@${digest}`);
  });
});

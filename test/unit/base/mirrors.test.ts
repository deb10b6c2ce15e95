import { describe, expect, it } from '@jest/globals';
import { type AptSource, mirrorLines, parseTargets, parseUris } from '../../../src/base/mirrors.js';
import { suiteNamed } from '../../../src/base/suites.js';

const bookworm = suiteNamed('debian-12');
const KEYRING = '/keys/debian.gpg';

function debian(uri: string, ...releases: string[]): AptSource[] {
  return releases.map((release) => ({ uri, release, origin: 'Debian' }));
}

describe('mirrorLines', () => {
  const host = [
    ...debian('http://mirror.example/debian/', 'bookworm', 'bookworm-updates', 'bookworm-backports'),
    ...debian('http://mirror.example/debian-security/', 'bookworm-security'),
    { uri: 'https://third.example/apt/', release: 'bookworm', origin: 'Third' },
  ];

  it("takes the release, its updates and its fixes from the host's mirrors, and nothing of third parties", () => {
    expect(mirrorLines(bookworm, host, true, undefined)).toEqual([
      'deb http://mirror.example/debian/ bookworm main',
      'deb http://mirror.example/debian/ bookworm-updates main',
      'deb http://mirror.example/debian-security/ bookworm-security main',
    ]);
  });

  it('leaves the fixes out when security is off', () => {
    expect(mirrorLines(bookworm, host, false, undefined)).toEqual([
      'deb http://mirror.example/debian/ bookworm main',
      'deb http://mirror.example/debian/ bookworm-updates main',
    ]);
  });

  it('derives the release from a mirror that the host uses for another one', () => {
    const trixie = [...debian('http://m/debian/', 'trixie'), ...debian('http://m/security/', 'trixie-security')];
    expect(mirrorLines(bookworm, trixie, true, KEYRING)).toEqual([
      `deb [signed-by=${KEYRING}] http://m/debian/ bookworm main`,
      `deb [signed-by=${KEYRING}] http://m/debian/ bookworm-updates main`,
      `deb [signed-by=${KEYRING}] http://m/security/ bookworm-security main`,
    ]);
  });

  it('prefers the mirror that is configured for the very release', () => {
    const both = [...debian('http://new/', 'trixie'), ...debian('http://old/', 'bookworm')];
    expect(mirrorLines(bookworm, both, false, undefined)[0]).toBe('deb http://old/ bookworm main');
  });

  it('knows no mirror on a host of another distribution', () => {
    const ubuntu = [{ uri: 'http://u/ubuntu/', release: 'noble', origin: 'Ubuntu' }];
    expect(mirrorLines(bookworm, ubuntu, true, undefined)).toEqual([]);
    const withoutLists = parseUris(
      "'http://u/dists/noble/InRelease' a 0\n'http://u/dists/noble-updates/InRelease' b 0\n",
    );
    expect(mirrorLines(bookworm, withoutLists, true, undefined)).toEqual([]);
  });

  it('refuses to leave out the fixes silently when no mirror of them is known', () => {
    expect(() => mirrorLines(bookworm, debian('http://m/debian/', 'bookworm'), true, undefined)).toThrow(
      expect.objectContaining({ code: 'BASE_CREATE_FAILED', fix: expect.stringContaining('--security off') }),
    );
  });

  it('tells the archive from a third party by its updates when apt has no lists', () => {
    const uris = parseUris(
      ['http://m/debian/dists/bookworm', 'http://m/debian/dists/bookworm-updates', 'http://third/apt/dists/bookworm']
        .map((uri) => `'${uri}/InRelease' name 0 \n'${uri}/main/binary-amd64/Packages.xz' name 0 \n`)
        .join(''),
    );
    expect(mirrorLines(bookworm, uris, false, undefined)[0]).toBe('deb http://m/debian/ bookworm main');
    expect(mirrorLines(bookworm, uris, false, undefined)).toHaveLength(2);
  });
});

describe('parseTargets', () => {
  it('reads each source once', () => {
    expect(parseTargets('http://m/|bookworm|Debian\nhttp://m/|bookworm|Debian\n')).toEqual(
      debian('http://m/', 'bookworm'),
    );
  });

  it('finds nothing where apt has fetched no lists', () => {
    expect(parseTargets('')).toEqual([]);
  });
});

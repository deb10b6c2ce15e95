import { describe, expect, it } from '@jest/globals';
import { isInternal, requirePublicLiteral } from '../../../src/http/addresses.js';

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '10.255.0.1',
    '100.64.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.255.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::FFFF:169.254.169.254',
    '64:ff9b::10.0.0.1',
    'fc00::1',
    'fdff::1',
    'fe80::1%eth0',
    'ff02::1',
  ])('REG-3 of a private network is one: %s', (address) => {
    expect(isInternal(address)).toBe(true);
  });

  it.each(['1.1.1.1', '172.15.0.1', '172.32.0.1', '192.167.1.1', '8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])(
    'REG-3 on the Internet is none: %s',
    (address) => {
      expect(isInternal(address)).toBe(false);
    },
  );

  it.each([
    'http://0x7f000001/',
    'http://127.1/',
    'http://[::ffff:7f00:1]/',
    'http://LOCALHOST./',
    'http://a.localhost/',
  ])('REG-3 is known in every way to write it: %s', (url) => {
    expect(() => requirePublicLiteral(new URL(url))).toThrow(expect.objectContaining({ code: 'REGISTRY_ADDRESS' }));
  });

  it('REG-3 is no name that only begins like one', () => {
    for (const url of ['https://localhost.example/', 'https://10.0.0.1.example/', 'https://notlocalhost/'])
      expect(() => requirePublicLiteral(new URL(url))).not.toThrow();
  });
});

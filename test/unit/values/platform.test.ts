import { describe, expect, it } from '@jest/globals';
import { formatPlatform, parsePlatform, samePlatform } from '../../../src/values/platform.js';

const same = (a: string, b: string) => samePlatform(parsePlatform(a), parsePlatform(b));

describe('platforms', () => {
  it.each(['linux/amd64', 'linux/arm64/v8', 'linux/386'])('are read and written as %s', (text) => {
    expect(formatPlatform(parsePlatform(text))).toBe(text);
  });

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/amd64/', 'Linux/amd64', 'linux/arm/v7/x', 'linux/amd 64'])(
    'are not %j',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  it('are the same when they are written alike, and where arm64 means arm64/v8', () => {
    expect(same('linux/amd64', 'linux/amd64')).toBe(true);
    expect(same('linux/arm64', 'linux/arm64/v8')).toBe(true);
    expect(same('linux/arm64/v9', 'linux/arm64')).toBe(false);
    expect(same('linux/arm/v6', 'linux/arm/v7')).toBe(false);
    expect(same('linux/arm', 'linux/arm/v7')).toBe(false);
    expect(same('linux/amd64', 'windows/amd64')).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import { formatSize, parseSize } from '../../../src/values/size.js';

describe('parseSize', () => {
  it.each([
    ['0B', 0],
    ['500MB', 500_000_000],
    ['1.5GB', 1_500_000_000],
    ['300 kB', 300_000],
    ['300 KB', 300_000],
    ['1GiB', 1_073_741_824],
    ['0.5KiB', 512],
  ])('reads %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '500', 'MB', '-1MB', '1e3MB', '1.MB', '1MBit', '1mb', '1M', 'toString', '1 constructor', '1  MB'])(
    'does not guess what %j is',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );
});

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [300_000_000, '300 MB'],
    [1_073_741_824, '1.1 GB'],
  ])('tells %d', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

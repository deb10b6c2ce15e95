import { describe, expect, it } from '@jest/globals';
import { pause, retryAfter } from '../../../src/http/retry.js';

const headers = (values: Readonly<Record<string, string>>) => ({ header: (name: string) => values[name] });

describe('a pause', () => {
  const rules = { tries: 5, firstPauseMs: 100, longestPauseMs: 1000, longestWaitMs: 0 };

  it('REG-12 is twice as long each time, up to a limit', () => {
    const full = { ...rules, random: () => 1 };
    expect([1, 2, 3, 4, 5, 50].map((attempt) => pause(attempt, full))).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('REG-12 is not the same for all', () => {
    expect(pause(1, { ...rules, random: () => 0 })).toBe(50);
    expect(pause(1, { ...rules, random: () => 0.5 })).toBe(75);
  });
});

describe('Retry-After', () => {
  it.each([
    ['5', {}, 5000],
    [' 0 ', {}, 0],
    ['Thu, 01 Jan 1970 00:01:00 GMT', { date: 'Thu, 01 Jan 1970 00:00:30 GMT' }, 30_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', { date: 'Thu, 01 Jan 1970 00:00:30 GMT' }, 0],
    ['Thu, 01 Jan 1970 00:01:00 GMT', {}, undefined],
    ['soon', {}, undefined],
    ['-5', {}, undefined],
    ['1e9', {}, undefined],
  ])('REG-12 %j beside %j is %p milliseconds, whatever our clock says', (text, more, expected) => {
    expect(retryAfter(headers({ 'retry-after': text, ...more }))).toBe(expected);
  });
});

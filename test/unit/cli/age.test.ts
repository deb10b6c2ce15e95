import { describe, expect, it } from '@jest/globals';
import { ageOf, describeAge } from '../../../src/cli/age.js';

const now = Date.parse('2026-03-01T00:00:00Z');

describe('the age of a base', () => {
  it.each([
    ['2026-02-28T23:59:59Z', '1 second'],
    ['2026-02-28T23:58:30Z', '90 seconds'],
    ['2026-02-28T23:30:00Z', '30 minutes'],
    ['2026-02-28T00:00:00Z', '24 hours'],
    ['2026-02-01T00:00:00Z', '28 days'],
    ['2025-12-01T00:00:00+02:00', '3 months'],
    ['2023-01-01T00:00:00Z', '3 years'],
  ])('of %s is told as %s', (created, words) => {
    expect(describeAge(created, now)).toBe(words);
  });

  it.each([undefined, '', 'yesterday', '1980-01-01T00:00:01Z', '1970-01-01T00:00:00Z', '2026-03-01T00:00:01Z'])(
    'of %s is not told',
    (created) => {
      expect(ageOf(created, now)).toBeUndefined();
      expect(describeAge(created, now)).toBeUndefined();
    },
  );
});

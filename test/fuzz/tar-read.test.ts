import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IMAGE_ARCHIVE, LAYER, TREE } from '../../src/archive/tar-profile.js';
import { isFailure } from '../../src/values/error.js';
import { mutate, oddTar } from '../support/odd-tar.js';
import { type Listed, listStrictly, listWithTarStream } from '../support/tar-readers.js';

/** `FUZZ_SECONDS=3600 FUZZ_SEED=7 npm run fuzz` goes on for longer, from elsewhere. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 5);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const PROFILES = [LAYER, TREE, IMAGE_ARCHIVE];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const corpus = (): Buffer[] => [
  ...['gnu', 'pax', 'ustar', 'v7'].map((format) =>
    execFileSync('tar', ['--create', `--format=${format}`, 'scripts', 'test/unit/archive'], { maxBuffer: 1 << 28 }),
  ),
  ...fc.sample(oddTar(), { numRuns: 200, seed: SEED }),
];

function outcome(bytes: Buffer, at: number, chunk: number): Listed[] | string {
  try {
    return listStrictly(bytes, PROFILES[at] as (typeof PROFILES)[number], chunk);
  } catch (error) {
    if (isFailure(error, 'ARCHIVE_INVALID') && typeof error.details['rule'] === 'string') return error.message;
    throw error;
  }
}

describe('the strict reader', () => {
  it(
    'refuses or agrees with tar-stream, whatever the bytes and however they come',
    async () => {
      const tars = corpus();
      const next = random(SEED);
      const below = (most: number) => Math.floor(next() * most);
      const until = Date.now() + SECONDS * 1000;
      let [runs, accepted] = [0, 0];
      for (; Date.now() < until; runs += 1) {
        const whole = tars[below(tars.length)] as Buffer;
        const bytes = Buffer.from(next() < 0.1 ? whole.subarray(0, below(whole.byteLength) + 1) : whole);
        for (let count = below(4); count >= 0; count -= 1) {
          const at = Math.min(below(bytes.byteLength / 512) * 512 + below(512), bytes.byteLength - 1);
          mutate(bytes, at, below(256), next() < 0.8);
        }
        const profile = below(PROFILES.length);
        const found = outcome(bytes, profile, bytes.byteLength);
        expect(outcome(bytes, profile, below(2000) + 1)).toEqual(found);
        if (typeof found === 'string') continue;
        accepted += 1;
        expect(await listWithTarStream(bytes)).toEqual(found);
      }
      expect(runs).toBeGreaterThan(SECONDS);
      expect(accepted).toBeGreaterThan(0);
    },
    (SECONDS + 60) * 1000,
  );
});

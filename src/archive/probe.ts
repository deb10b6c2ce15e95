import { createHash } from 'node:crypto';

/** Data of four kinds, so that each strategy inside an encoder is used: text, binary, noise and long runs. */
export function probeData(): Uint8Array {
  const noise = pseudoRandom(0x2545f491);
  const texts = Buffer.from(
    Array.from({ length: 9000 }, (_, n) => `line ${(n * n) % 997}: "value ${n % 61}"\n`).join(''),
  );
  const binary = Uint8Array.from({ length: 65_536 }, (_, n) => (n % 7 === 0 ? noise() : (n >> 5) & 0xff));
  const random = Uint8Array.from({ length: 32_768 }, noise);
  const runs = Uint8Array.from({ length: 65_536 }, (_, n) => ((n >> 9) * 37) & 0xff);
  return Buffer.concat([texts.subarray(0, 131_072), binary, random, runs]);
}

/** A short digest of what an encoder made of the probe. */
export function probeDigest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

/** xorshift32: the same noise everywhere. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
}

import { createHash } from 'node:crypto';

/** The same bytes on every machine: words, with noise between. */
export function sampleBytes(size: number): Buffer {
  const noise = createHash('sha256').update('noise').digest();
  const line = (n: number) => `${n}: the ${['quick', 'brown', 'fox'][n % 3]} ${noise[n % 32]}\n`;
  return Buffer.from(Array.from({ length: Math.ceil(size / 10) }, (_, n) => line(n)).join('')).subarray(0, size);
}

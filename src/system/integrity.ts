import ssri, { type IntegrityMap } from 'ssri';

/** The integrity of bytes as the W3C's Subresource Integrity string, `sha512-...`: what lock files hold. */
export async function integrityOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const seen = integrityTally();
  for await (const chunk of bytes) seen.add(chunk);
  return seen.end();
}

/** Takes the integrity of bytes as they go by. */
export function integrityTally(): { readonly add: (chunk: Uint8Array) => void; readonly end: () => string } {
  const hash = ssri.create({ algorithms: ['sha512'] });
  return { add: (chunk) => void hash.update(chunk), end: () => hash.digest().toString() };
}

/** A name for a file with this integrity; undefined for a string that names no SHA-512. */
export function integrityFileName(integrity: string): string | undefined {
  const [first] = parse(integrity)?.['sha512'] ?? [];
  return first === undefined ? undefined : `sha512-${Buffer.from(first.digest, 'base64').toString('hex')}`;
}

/** True when an integrity string, which may name several digests, admits the bytes that have the integrity `found`. */
export function admitsIntegrity(expected: string, found: string): boolean {
  const wanted = parse(expected);
  return wanted !== null && parse(found) !== null && Boolean(wanted.match(found, { strict: true }));
}

/** Null for text that is not an integrity string; the types do not tell. */
function parse(text: string): IntegrityMap | null {
  return ssri.parse(text, { single: false, strict: true });
}

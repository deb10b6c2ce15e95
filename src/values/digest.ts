import { createHash } from 'node:crypto';
import { fail } from './error.js';

declare const digestBrand: unique symbol;
declare const diffIdBrand: unique symbol;

/** The digest of bytes as they are stored or sent: `sha256:` and 64 lower-case hex digits (image-spec, descriptor.md). */
export type Digest = string & { readonly [digestBrand]: true };

/** The digest of a layer's uncompressed tar (image-spec, config.md, `rootfs.diff_ids`). */
export type DiffId = string & { readonly [diffIdBrand]: true };

const SHAPE = /^sha256:[0-9a-f]{64}$/;

/** Checks the form before a digest is used in a path, a URL or a comparison. Throws `DIGEST_INVALID`. */
export function parseDigest(text: unknown): Digest {
  if (isDigest(text)) return text;
  throw fail('DIGEST_INVALID', {
    what: `${JSON.stringify(text)?.slice(0, 120)} is not a digest`,
    why: 'a digest is `sha256:` followed by 64 lower-case hexadecimal digits',
  });
}

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && SHAPE.test(text);
}

/** Like `parseDigest`, for the digest of an uncompressed layer. */
export function parseDiffId(text: unknown): DiffId {
  return parseDigest(text) as string as DiffId;
}

export function digestOf(bytes: Uint8Array): Digest {
  return fromHex(createHash('sha256').update(bytes).digest('hex'));
}

/** The digest with this hexadecimal part. */
export function fromHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** The hexadecimal part. */
export function hexOf(digest: Digest | DiffId): string {
  return digest.slice('sha256:'.length);
}

/** Enough of a digest for people to tell two apart. */
export function shortDigest(digest: Digest | DiffId): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

import { type Digest, digestOf, hexOf } from './digest.js';

/**
 * The tag that keeps what `tag` stood for before a rebase made it stand for `present`. It lies beside the image, since nothing
 * in an image may tell of its past; and it is named from both, so that two tags that come to one digest are not confused.
 */
export function previousTag(tag: string, present: Digest): string {
  return `${PREFIX}${hexOf(digestOf(Buffer.from(`${tag}@${present}`))).slice(0, 12)}`;
}

/** True for a tag that only keeps what another one stood for. */
export function isPreviousTag(tag: string): boolean {
  return tag.startsWith(PREFIX);
}

const PREFIX = 'pb-prev-';

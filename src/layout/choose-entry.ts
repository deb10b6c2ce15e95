import type { Index } from '../oci/documents.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import { fail } from '../values/error.js';
import { type Platform, samePlatform } from '../values/platform.js';
import { isPreviousTag } from '../values/previous-tag.js';
import { DEFAULT_TAG, nameOf, REF_NAME } from './layout-index.js';

/** What to look for in the index of a layout. */
export interface Wanted {
  readonly kind: string;
  /** The layout's directory or file. With `kind` it names the tags in an error. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/**
 * The entry of an index that is meant: by digest, by tag, or without either the only one, else the one called latest; among
 * several of that name, the one of `platform`. What is kept for an undo is not meant unless it is named. Throws
 * `IMAGE_NOT_FOUND`, naming the tags that there are.
 */
export function chooseEntry(index: Index, wanted: Wanted, platform: Platform | undefined, place: string): Descriptor {
  const named = index.manifests.filter((entry) => isWanted(entry, wanted));
  const latest = isNamed(wanted) ? [] : named.filter((entry) => isWanted(entry, { tag: DEFAULT_TAG }));
  const forPlatform = (latest.length > 0 ? latest : named).filter(
    (entry) => platform !== undefined && entry.platform !== undefined && samePlatform(entry.platform, platform),
  );
  const chosen = onlyOf(named) ?? onlyOf(latest) ?? onlyOf(forPlatform);
  if (chosen !== undefined) return chosen;
  const asked = wanted.digest ?? (wanted.tag === undefined ? undefined : `the tag ${wanted.tag}`);
  const placeOf = (tag: string) => `${wanted.kind}:${wanted.path}:${tag}`;
  const tags = index.manifests.flatMap((entry) => nameOf(entry) ?? []);
  throw fail('IMAGE_NOT_FOUND', {
    what: `${place} is not there`,
    why:
      asked === undefined
        ? `it has ${named.length} images, none was named, and ${latest.length === 0 ? 'none' : 'more than one'} is called ${DEFAULT_TAG}`
        : `it has ${named.length || 'no'} images with ${asked}`,
    fix: tags.length > 0 ? `name one of its tags: ${tags.map(placeOf).join(', ')}` : undefined,
  });
}

function isNamed({ tag, digest }: Wanted): boolean {
  return tag !== undefined || digest !== undefined;
}

function isWanted(entry: Descriptor, { tag, digest }: Pick<Wanted, 'tag' | 'digest'>): boolean {
  if (digest !== undefined) return entry.digest === digest;
  const name = entry.annotations?.[REF_NAME];
  return tag === undefined ? name === undefined || !isPreviousTag(name) : name === tag;
}

/** The first, if all are names of one image. */
function onlyOf(entries: readonly Descriptor[]): Descriptor | undefined {
  return new Set(entries.map(({ digest }) => digest)).size === 1 ? entries[0] : undefined;
}

import { formatPlace, withDigest } from '../values/place.js';
import type { Platform } from '../values/platform.js';
import { readPlace } from './read-place.js';
import { type ResolvedBase, type ResolveOptions, resolveBase } from './resolve-base.js';

/** One release of a base, for each platform that it has. */
export type BaseRelease = (platform: Platform) => Promise<ResolvedBase>;

/**
 * A base for several platforms: its name is resolved once, when it is first asked for, and from then on goes by the digest
 * that it stood for, so that all get the same release. Throws as `resolveBase`.
 */
export function baseRelease(reference: string, options: Omit<ResolveOptions, 'platform'>): BaseRelease {
  let first: ResolvedBase | undefined;
  return async (platform) => {
    if (first === undefined) {
      first = await resolveBase(reference, { ...options, platform });
      return first;
    }
    const place = await readPlace(reference);
    // A layout may have one entry for each platform under one name: the digest of the first is that of no other.
    const isOneOfSome = first.base.index === undefined && place.kind !== 'registry';
    const exact = isOneOfSome ? reference : formatPlace(withDigest(place, first.pinned));
    const { base, ...resolved } = await resolveBase(exact, { ...options, platform });
    // A digest may go by several names; all images get the one that was asked for.
    const { name: _, ...unnamed } = base;
    return {
      ...resolved,
      reference,
      base: first.base.name === undefined ? unnamed : { ...unnamed, name: first.base.name },
    };
  };
}

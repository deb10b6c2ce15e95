import { blobsIn, type Cache } from '../cache/cache.js';
import { fail, isFailure } from '../values/error.js';
import { isFullReference } from '../values/place.js';
import { formatPlatform } from '../values/platform.js';
import { type BaseRelease, baseRelease } from './base-release.js';
import type { ApartImage } from './move-image.js';
import type { Tools } from './tools.js';

export interface NewBaseRequest {
  readonly image: string;
  readonly base?: string | undefined;
}

/**
 * The base that images are to move to: the one that was named, else what a registry has today under the name of theirs; one
 * release for all of them. Throws `REBASE_NO_BASE_NAME`, and when asked `REBASE_PLATFORM_MISMATCH` for a base that one of
 * several images cannot stand on, and as `resolveBase`.
 */
export function newBaseFor(
  apart: readonly ApartImage[],
  { image, base }: NewBaseRequest,
  cache: Cache,
  { on, registries }: Tools,
): BaseRelease {
  const names = [...new Set(apart.map(({ parts }) => parts.base.name))];
  const [name] = names;
  const known = names.length === 1 && isFullReference(name) && registries ? `docker://${name}` : undefined;
  const reference = base ?? known;
  if (reference === undefined) throw noName(image, names);
  const isHint = base === undefined;
  const release = baseRelease(reference, { store: blobsIn(cache), on, registries, isHint });
  if (apart.length === 1) return release;
  return async (platform) =>
    release(platform).catch((error: unknown) => {
      throw isOfPlatform(error) ? lacks(reference, apart, formatPlatform(platform), error) : error;
    });
}

/** True where the base is there, and not for this platform. */
function isOfPlatform(error: unknown): error is Error & { readonly why?: string | undefined } {
  if (!isFailure(error, 'BASE_NOT_FOUND')) return isFailure(error, 'BASE_PLATFORM');
  return isFailure(error.cause) && error.cause.details['platforms'] !== undefined;
}

function lacks(
  reference: string,
  apart: readonly ApartImage[],
  platform: string,
  cause: { readonly why?: string | undefined },
) {
  const all = apart.map(({ parts }) => formatPlatform(parts.app.platform));
  return fail('REBASE_PLATFORM_MISMATCH', {
    what: `the base ${reference} has no image for ${platform}, and the index has one to move`,
    why: cause.why,
    fix: `name a base for all of ${all.join(', ')}; or move one image alone, with --platform OS/ARCH and --to`,
    details: { platform },
    cause,
  });
}

function noName(image: string, [name, ...others]: readonly (string | undefined)[]) {
  const told = (one: string | undefined) => one ?? 'no name';
  return fail('REBASE_NO_BASE_NAME', {
    what: 'the new base must be named',
    why:
      others.length > 0
        ? `the images of the index stand on bases of different names: ${[name, ...others].map(told).join(', ')}`
        : name === undefined
          ? 'the image does not say what its base was called'
          : `the image's base was called ${name}, which is a local name and cannot be looked up`,
    fix: `pack-build rebase ${image} --base REF, such as docker://HOST/REPOSITORY:TAG or oci:DIR:TAG`,
  });
}

import { blobsIn, type Cache } from './cache/cache.js';
import { attachFiles } from './steps/attached-files.js';
import { providesOf } from './steps/base-provides.js';
import { inCache } from './steps/in-cache.js';
import { type ResolvedBase, resolveBase } from './steps/resolve-base.js';
import { type GivenTools, settleTools, type Tools } from './steps/tools.js';
import type { Digest } from './values/digest.js';
import { fail } from './values/error.js';
import { formatPlace, type Place, parsePlace, withDigest } from './values/place.js';
import type { Platform } from './values/platform.js';

/** Which name to resolve. */
export interface ResolveRequest {
  readonly reference: string;
  readonly platform: Platform;
  /** Attach the list of the base's files to it, for rebases that trust its repository. Its layers are read for it. */
  readonly attachFiles?: boolean | undefined;
  readonly cacheDir: string;
}

/** What was found, and maybe what was attached to it. */
export interface Resolved extends ResolvedBase {
  readonly exact: string;
  readonly attached: Digest | undefined;
}

/**
 * What a base's name stands for today, and the reference that always will mean the same. Throws as `resolveBase`, and
 * `PLACE_UNSUPPORTED` where something is to be attached to a base that is in no registry.
 */
export async function resolveReference(request: ResolveRequest, givenTools: GivenTools): Promise<Resolved> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const store = blobsIn(cache);
    const place = parsePlace(request.reference);
    if (request.attachFiles) requireRegistry(place);
    const resolved = await resolveBase(request.reference, {
      platform: request.platform,
      store,
      on: tools.on,
      registries: tools.registries,
    });
    const attached = request.attachFiles ? await attachTo(place, resolved, cache, tools) : undefined;
    return { ...resolved, exact: exactPlace(place, resolved.pinned), attached };
  });
}

/** In a layout the digest stands for itself, also when the tag has moved on; in an archive the name stays beside it. */
function exactPlace(place: Place, digest: Digest): string {
  return formatPlace(place.kind === 'oci' ? { kind: 'oci', path: place.path, digest } : withDigest(place, digest));
}

/** The list is made from the layers, never taken from what is attached. */
async function attachTo(place: Place, { base, blobs }: ResolvedBase, cache: Cache, tools: Tools) {
  if (place.kind !== 'registry' || tools.registries === undefined) return undefined;
  const { inventory } = await providesOf(base.image, blobs, cache, tools);
  return (await attachFiles(place.reference, base.image, inventory, tools.registries)).digest;
}

function requireRegistry(place: Place): void {
  if (place.kind === 'registry') return;
  throw fail('PLACE_UNSUPPORTED', {
    what: `nothing can be attached to ${formatPlace(place)}`,
    why: 'lists of files are attached to bases in a registry',
    fix: 'name the base by its reference in a registry: docker://HOST/REPOSITORY:TAG',
  });
}

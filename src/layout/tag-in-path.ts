import { dirname } from 'node:path';
import { exists } from '../system/exists.js';
import { fail } from '../values/error.js';
import type { Place } from '../values/place.js';

/**
 * Refuses what is a path by the grammar and a mistyped tag by its looks: `oci:shop:feature/x`, where there is no directory
 * `shop:feature`. Throws `REFERENCE_INVALID`.
 */
export async function refuseTagInPath({ kind, path }: Extract<Place, { kind: 'oci' | 'oci-archive' }>): Promise<void> {
  const colon = path.lastIndexOf(':');
  if (colon === -1) return;
  const slash = path.indexOf('/', colon);
  const directory = slash === -1 ? dirname(path) : path.slice(0, slash);
  if (await exists(directory)) return;
  const [before, tag] = [path.slice(0, colon), path.slice(colon + 1)];
  throw fail('REFERENCE_INVALID', {
    what: `${kind}:${path}: ${JSON.stringify(tag)} is not a tag`,
    why: `a tag has no slash; and as part of a path it makes no sense, since there is no directory ${directory}`,
    fix: `write ${kind}:${before}:${tag.replaceAll(/[^A-Za-z0-9_.-]+/g, '-')}, or make the directory first`,
  });
}

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../system/exists.js';
import { fail } from '../values/error.js';
import { type Place, parsePlace } from '../values/place.js';

/**
 * Reads a place that a user wrote. A bare name is one in a registry, unless there is something of that name here: then
 * nobody can tell what is meant, and no registry is asked. Throws `REFERENCE_INVALID`, and what `parsePlace` throws.
 */
export async function readPlace(text: string): Promise<Place> {
  const place = parsePlace(text);
  if (place.kind !== 'registry' || /[/.:@]/.test(text)) return place;
  const found = await stat(text).catch(() => undefined);
  if (found === undefined) return place;
  const [kind, ours] = found.isDirectory()
    ? ['directory', `oci:${text}`]
    : ['file', `oci-archive:${text} or docker-archive:${text}`];
  throw fail('REFERENCE_INVALID', {
    what: `it is not clear which image ${text} is`,
    why: `a name without a prefix is one in a registry, and there is a ${kind} of that name here`,
    fix: `write ${ours} for the ${kind}, or docker://${text} for the registry`,
  });
}

/** True for a directory that is an OCI image layout by its looks. */
export async function looksLikeLayout(directory: string): Promise<boolean> {
  return exists(join(directory, 'oci-layout'));
}

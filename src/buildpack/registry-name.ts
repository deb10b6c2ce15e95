import { stat } from 'node:fs/promises';
import { fail } from '../values/error.js';
import type { BuildpackReference } from './reference.js';

/** Where Heroku's buildpack registry keeps the newest tarball of each of its names. */
export const HEROKU_REGISTRY = 'https://buildpack-registry.s3.amazonaws.com/buildpacks';

/** A reference that says by itself where to look. */
export type SettledReference = Exclude<BuildpackReference, { kind: 'registry' }>;

/**
 * Tells what `heroku/nodejs` is: a directory, if there is one of that name, else the tarball `REGISTRY/heroku/nodejs.tgz`.
 * Any other reference stays as it is. Throws `REFERENCE_INVALID`, `CONFIG_INVALID`.
 */
export async function settleReference(reference: BuildpackReference, registry: string): Promise<SettledReference> {
  if (reference.kind !== 'registry') return reference;
  const { id, name, path } = reference;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { id, kind: 'directory', path };
  if (name.includes('@')) throw versioned(name);
  return { id, kind: 'http', url: `${addressOf(registry)}/${name}.tgz` };
}

function addressOf(registry: string): string {
  if (/^https?:$/.test(URL.canParse(registry) ? new URL(registry).protocol : '') && !/[?#]/.test(registry))
    return registry.replace(/\/+$/, '');
  throw fail('CONFIG_INVALID', {
    what: `${JSON.stringify(registry.slice(0, 200))} is not the address of a buildpack registry`,
    why: 'it must be an http or https address, below which there is OWNER/NAME.tgz',
  });
}

function versioned(name: string) {
  const plain = name.replace(/@.*$/, '');
  return fail('REFERENCE_INVALID', {
    what: `${name} names a version, and a buildpack registry gives only the newest`,
    fix: `write ${plain}, which pack-build.lock then pins; or name the git repository at a tag: https://host/repo.git#v1`,
  });
}

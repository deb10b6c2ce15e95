import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { readSourceFile } from '../buildpack/read-file.js';
import { parseSlugignore } from '../buildpack/slugignore.js';
import { fail } from '../values/error.js';
import { formatPlace, type Place } from '../values/place.js';

/**
 * Refuses to write an image where the next build would take it for a part of the app, which then had another digest each
 * time. Below `.pack-build/`, and where `.slugignore` names it, it is none. Throws `PLACE_IN_SOURCE`, `SLUGIGNORE_INVALID`.
 */
export async function keepOutOfSource(places: readonly Place[], source: string): Promise<void> {
  for (const place of places) {
    if (place.kind === 'registry') continue;
    const path = relative(source, await realName(resolve(place.path)));
    if (path === '..' || path.startsWith('../')) continue;
    if (!(await isLeftOut(path.split('/'), place.kind === 'oci', source))) throw inSource(place, path);
  }
}

/** Without links, as far as the path is there. */
async function realName(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined || path === dirname(path)) return real ?? path;
  return join(await realName(dirname(path)), basename(path));
}

async function isLeftOut(path: readonly string[], isDirectory: boolean, source: string): Promise<boolean> {
  if (path[0] === '.pack-build') return true;
  const slugignore = parseSlugignore((await readSourceFile(source, '.slugignore')) ?? new Uint8Array());
  return path.some((_, at) => slugignore.ignores(path.slice(0, at + 1), isDirectory || at < path.length - 1));
}

function inSource(place: Exclude<Place, { kind: 'registry' }>, path: string) {
  const name = path === '' ? 'image' : basename(path);
  return fail('PLACE_IN_SOURCE', {
    what: `the image cannot be written to ${formatPlace(place)}, which lies in the app's directory`,
    why: 'the next build would take it for a part of the app',
    fix: `name a place outside of it, or one below .pack-build/, such as ${place.kind}:.pack-build/${name}; or name it in .slugignore`,
  });
}

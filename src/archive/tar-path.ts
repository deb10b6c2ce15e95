import { fail } from '../values/error.js';

/**
 * The path an archive means by a name: no `./`, no doubled or outer slashes, empty for the root. A name that begins with
 * a slash means a place below the root, as in every layer tool. Throws `ARCHIVE_INVALID` for a name that could leave it.
 */
export function cleanPath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refused(name, 'the name contains `..`');
  if (name.includes('\0')) throw refused(name, 'the name contains a NUL byte');
  if (parts.some((part) => part.length > 255)) throw refused(name, 'a part of the name is longer than 255 characters');
  if (parts.length > 256) throw refused(name, 'the name is more than 256 directories deep');
  return parts.join('/');
}

function refused(name: string, why: string) {
  return fail('ARCHIVE_INVALID', {
    what: `the archive has an entry that cannot be unpacked: ${JSON.stringify(name.slice(0, 200))}`,
    why,
  });
}

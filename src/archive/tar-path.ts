import { refused } from './tar-fault.js';
import type { TarProfile } from './tar-profile.js';

/**
 * The path an archive means by a name: no `./`, no doubled or outer slashes, empty for the root. Throws `ARCHIVE_INVALID`
 * for a name that could leave the root, that no Linux can have, or that the profile does not let in.
 */
export function cleanPath(name: string, profile: TarProfile, entry = name): string {
  if (name === '') throw refused('name', 'a name is empty', entry);
  if (name.startsWith('/') && !profile.absolute) throw refused('absolute', 'the name begins with `/`', entry);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refused('traversal', 'the name contains `..`', entry);
  if (name.includes('\0')) throw refused('name', 'the name contains a NUL byte', entry);
  if (name.length > 85) requireShort(name, parts, entry);
  if (!profile.anyName && FOREIGN.test(name)) {
    throw refused('name', 'the name has a backslash, a drive letter or a control character in it', entry);
  }
  return parts.join('/');
}

const FOREIGN = /[\u0000-\u001f\u007f-\u009f\\]|^[A-Za-z]:/;

const MOST_PART_BYTES = 255;
const MOST_BYTES = 4096;
const MOST_PARTS = 256;

function requireShort(name: string, parts: readonly string[], entry: string): void {
  if (Buffer.byteLength(name) > MOST_BYTES) throw refused('name', `the name has more than ${MOST_BYTES} bytes`, entry);
  if (parts.some((part) => Buffer.byteLength(part) > MOST_PART_BYTES))
    throw refused('name', `a part of the name is longer than ${MOST_PART_BYTES} bytes`, entry);
  if (parts.length > MOST_PARTS) throw refused('name', `the name is more than ${MOST_PARTS} directories deep`, entry);
}

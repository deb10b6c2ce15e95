import { fail, type PackBuildError } from '../values/error.js';

/** What is wrong with a tar, as `details.rule` of the error says it. One rule is one row of docs/errors.md. */
export type TarRule = keyof typeof FIXES;

const AGAIN = 'fetch or make the archive again';
const PLAIN = 'make the archive again with a current tar, from plain files';
const RENAME = 'rename it, and make the archive again';
const LINK = 'replace the link by what it leads to, and make the archive again';

const FIXES = {
  absolute: 'make the archive from within the directory: tar -C DIRECTORY -c .',
  ambiguous: PLAIN,
  bomb: 'if it is meant to be that large, split it',
  checksum: AGAIN,
  duplicate: 'make the archive again, with each path once',
  empty: AGAIN,
  format: 'make the archive with tar, plain or compressed with gzip: tar -czf FILE.tar.gz',
  'link-order': 'make the archive again, with the file before its links',
  'link-self': PLAIN,
  'link-target': LINK,
  name: RENAME,
  owner: 'give it an owner between 0 and 4294967294, and make the archive again',
  pax: PLAIN,
  'root-replaced': PLAIN,
  setid: 'take the bit away: chmod ug-s FILE',
  size: PLAIN,
  'size-conflict': PLAIN,
  'size-on-link': PLAIN,
  sparse: 'make the archive again without --sparse',
  special: 'leave devices, fifos and sockets out of the archive',
  'through-link': LINK,
  time: PLAIN,
  trailing: AGAIN,
  traversal: PLAIN,
  truncated: AGAIN,
  whiteout: 'leave names that begin with `.wh.` out of the archive',
  xattr: 'make the archive again without --xattrs',
} as const;

/** The error for a tar that is not taken in. `entry` is the name as the tar has it. */
export function refused(rule: TarRule, why: string, entry?: string): PackBuildError {
  const name = entry === undefined ? undefined : shortened(entry);
  return fail('ARCHIVE_INVALID', {
    what: name === undefined ? 'a tar archive is refused' : `a tar archive is refused because of ${name}`,
    why,
    fix: FIXES[rule],
    details: { rule, ...(entry === undefined ? {} : { entry: entry.slice(0, MOST) }) },
  });
}

const MOST = 200;

/** A name to be printed: in quotes, with no control characters, and not endless. */
export function shortened(name: string): string {
  return JSON.stringify(name.slice(0, MOST)).replace(/[\u007f-\u009f]/g, (at) => `\\x${at.charCodeAt(0).toString(16)}`);
}

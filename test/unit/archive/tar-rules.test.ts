import { describe, expect, it } from '@jest/globals';
import type { TarEntry } from '../../../src/archive/tar-entry.js';
import type { TarRule } from '../../../src/archive/tar-fault.js';
import { tarParser } from '../../../src/archive/tar-parse.js';
import { APP_LAYER, LAYER, type TarProfile, TREE } from '../../../src/archive/tar-profile.js';
import { whiteoutOf } from '../../../src/layers/whiteout.js';
import { PackBuildError } from '../../../src/values/error.js';
import { base256, END, GNU_MAGIC, gnuLong, pax, type RawHeader, raw, record, tarOf } from '../../support/tar-bytes.js';

/** What is taken in, and the error that follows, if one does. */
function parse(bytes: Uint8Array, profile: TarProfile): { entries: TarEntry[]; error?: PackBuildError } {
  const entries: TarEntry[] = [];
  const parser = tarParser(profile, { begin: ({ entry }) => entries.push(entry), data: () => {}, end: () => {} });
  try {
    for (let at = 0; at < bytes.byteLength; at += 700) parser.push(bytes.subarray(at, at + 700));
    parser.finish();
    return { entries };
  } catch (error) {
    if (error instanceof PackBuildError) return { entries, error };
    throw error;
  }
}

type Row = readonly [title: string, bytes: Buffer, rule: TarRule, entry: string | undefined, why: string];

function refuses(profiles: readonly TarProfile[], [, bytes, rule, entry, why]: Row): void {
  for (const profile of profiles) {
    const { error } = parse(bytes, profile);
    const name = entry === undefined ? '' : ` because of ${JSON.stringify(entry.slice(0, 200))}`;
    expect({ code: error?.code, message: error?.message, why: error?.why, details: error?.details }).toEqual({
      code: 'ARCHIVE_INVALID',
      message: `a tar archive is refused${name}`,
      why,
      details: { rule, ...(entry === undefined ? {} : { entry: entry.slice(0, 200) }) },
    });
    expect(error?.fix).toBeTruthy();
  }
}

const up = 'the name contains `..`';
const nul = (text: string, length: number) => JSON.stringify(text.padEnd(length, '\0'));
const deep = Array.from({ length: 257 }, () => 'd').join('/');
const link = (name: string, target: string): RawHeader => ({ name, flag: '1', link: target });
const symlink = (name: string, target: string): RawHeader => ({ name, flag: '2', link: target });

/** No archive of anybody may have these. */
const ALWAYS: readonly Row[] = [
  ['TAR-1 a name that goes up', tarOf({ name: '../evil' }), 'traversal', '../evil', up],
  ['TAR-1 a name that goes up later', tarOf({ name: 'a/../../evil' }), 'traversal', 'a/../../evil', up],
  ['TAR-1 a prefix that goes up', tarOf({ name: 'evil', prefix: '..' }), 'traversal', '../evil', up],
  ['TAR-1 a pax path that goes up', tarOf(pax({ path: '../evil' }), {}), 'traversal', '../evil', up],
  ['TAR-1 a long name that goes up', tarOf(gnuLong('L', '../evil'), {}), 'traversal', '../evil', up],
  ['TAR-1 a hard link that goes up', tarOf({}, link('x', '../a')), 'traversal', 'x', up],
  ['TAR-4 a link for .', tarOf(symlink('.', 'x')), 'root-replaced', '.', 'a symlink would take the place of the root'],
  ['TAR-4 a link for ./', tarOf(symlink('./', 'x')), 'format', './', 'it is a symlink whose name ends with a slash'],
  [
    'TAR-4 a file for ././.',
    tarOf({ name: '././.' }),
    'root-replaced',
    '././.',
    'a file would take the place of the root',
  ],
  ['TAR-4 a name that is empty', tarOf({ name: '' }), 'name', '', 'a name is empty'],
  ['TAR-8 a hard link to itself', tarOf(link('x', './x')), 'link-self', 'x', 'it is a hard link to itself'],
  [
    'TAR-8 a hard link with content',
    tarOf({}, { ...link('x', 'a'), body: 'b' }),
    'size-on-link',
    'x',
    'a link has 1 bytes of content',
  ],
  ['TAR-8 a link to nothing', tarOf(symlink('x', '')), 'link-target', 'x', 'it is a link to nothing'],
  [
    'TAR-11 two sizes',
    tarOf(pax({ size: '1024' }), { body: 'x' }),
    'size-conflict',
    'a',
    'its header says that it has 1 bytes, its pax record 1024',
  ],
  [
    'TAR-11 a size for a pax header',
    tarOf({ ...pax({ size: '1' }), size: 512 }, {}),
    'pax',
    undefined,
    'of a pax header: a record has no length: "\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000"',
  ],
  [
    'TAR-12 a negative size',
    tarOf({ size: base256(-1n, 12) }),
    'size',
    'a',
    `its size is no number from 0 to 2^53: ${JSON.stringify('\xff'.repeat(12))}`,
  ],
  [
    'TAR-12 a size over 2^53',
    tarOf({ size: base256(2n ** 53n, 12) }),
    'size',
    'a',
    'its size is no number from 0 to 2^53: "\\x80\\u0000\\u0000\\u0000\\u0000 \\u0000\\u0000\\u0000\\u0000\\u0000\\u0000"',
  ],
  [
    'TAR-12 a size with a space before it',
    tarOf({ size: ' 0000000001\0' }),
    'size',
    'a',
    'its size is no number from 0 to 2^53: " 0000000001\\u0000"',
  ],
  [
    'TAR-12 a size with a NUL in it',
    tarOf({ size: '000\u000000001\0\0\0' }),
    'size',
    'a',
    'its size is no number from 0 to 2^53: "000\\u000000001\\u0000\\u0000\\u0000"',
  ],
  [
    'TAR-12 a size with a letter',
    tarOf({ size: '0000000000x\0' }),
    'size',
    'a',
    'its size is no number from 0 to 2^53: "0000000000x\\u0000"',
  ],
  ['TAR-12 no size', tarOf({ size: '' }), 'size', 'a', `its size is no number from 0 to 2^53: ${nul('', 12)}`],
  [
    'TAR-12 a negative pax size',
    tarOf(pax({ size: '-512' }), {}),
    'size',
    'a',
    'its pax record says that it has "-512" bytes',
  ],
  [
    'TAR-12 a pax size with a plus',
    tarOf(pax({ size: '+1' }), {}),
    'size',
    'a',
    'its pax record says that it has "+1" bytes',
  ],
  [
    'TAR-13 a record of length 0',
    tarOf(pax('0 a=b\n'), {}),
    'pax',
    undefined,
    'of a pax header: a record has no length: "0 a=b\\n"',
  ],
  [
    'TAR-13 a record beyond its header',
    tarOf(pax('99 a=b\n'), {}),
    'pax',
    undefined,
    'of a pax header: a record of 99 bytes does not end with a line: "99 a=b\\n"',
  ],
  [
    'TAR-13 records that overlap',
    tarOf(pax('6 a=b\n4 c=d\n'), {}),
    'pax',
    undefined,
    'of a pax header: a record of 4 bytes does not end with a line: "4 c=d\\n"',
  ],
  [
    'TAR-13 a record without =',
    tarOf(pax('6 abc\n'), {}),
    'pax',
    undefined,
    'of a pax header: a record has no `=`: "6 abc\\n"',
  ],
  [
    'TAR-13 a record without a key',
    tarOf(pax('5 =b\n'), {}),
    'pax',
    undefined,
    'of a pax header: a record has the key ""',
  ],
  [
    'TAR-13 a record without its line',
    tarOf(pax('6 a=bc'), {}),
    'pax',
    undefined,
    'of a pax header: a record of 6 bytes does not end with a line: "6 a=bc"',
  ],
  [
    'TAR-13 a NUL in a record',
    tarOf(pax({ path: 'ok\0../../evil' }), {}),
    'pax',
    undefined,
    'of a pax header: a NUL stands in the record path',
  ],
  [
    'TAR-13 a record that is not UTF-8',
    tarOf({ ...pax(''), body: Buffer.from('9 path=\xff\n', 'latin1') }, {}),
    'pax',
    undefined,
    'of a pax header: the record path is not UTF-8: "ÿ"',
  ],
  [
    'TAR-13 a record twice',
    tarOf(pax(record('path', 'a') + record('path', 'b')), {}),
    'pax',
    undefined,
    'of a pax header: the record path is there twice',
  ],
  [
    'TAR-13 a header of more than 64 KiB',
    tarOf(pax({ comment: 'x'.repeat(65_536) }), {}),
    'pax',
    undefined,
    'a header of the type x has 65551 bytes, more than 65536',
  ],
  [
    'TAR-13 more than 1000 records',
    tarOf(pax(Array.from({ length: 1001 }, (_, at) => record(`k${at}`, '')).join('')), {}),
    'pax',
    undefined,
    'of a pax header: it has more than 1000 records',
  ],
  ['TAR-13 an empty header', tarOf(pax(''), {}), 'pax', undefined, 'a header of the type x is empty'],
  [
    'TAR-15 a long name, then a pax header',
    tarOf(gnuLong('L', 'a'), pax({ path: 'b' }), {}),
    'ambiguous',
    undefined,
    'a header of the type x follows another one for the same entry',
  ],
  [
    'TAR-15 a pax header, then a long name',
    tarOf(pax({ path: 'b' }), gnuLong('L', 'a'), {}),
    'ambiguous',
    undefined,
    'a header of the type L follows another one for the same entry',
  ],
  [
    'TAR-15 two long names',
    tarOf(gnuLong('L', 'a'), gnuLong('L', 'b'), {}),
    'ambiguous',
    undefined,
    'a header of the type L follows another one for the same entry',
  ],
  [
    'TAR-15 a long name of nothing',
    tarOf(gnuLong('L', 'a')),
    'ambiguous',
    undefined,
    'a header that belongs to an entry is the last one',
  ],
  [
    'TAR-15 a global path',
    tarOf(pax({ path: 'b' }, 'g'), {}),
    'ambiguous',
    undefined,
    'a global header sets path for all that follow',
  ],
  [
    'TAR-15 a global size',
    tarOf(pax({ size: '9' }, 'g'), {}),
    'ambiguous',
    undefined,
    'a global header sets size for all that follow',
  ],
  [
    'TAR-15 a global header within an entry',
    tarOf(pax({ path: 'b' }), pax({ comment: 'c' }, 'g'), {}),
    'ambiguous',
    undefined,
    'a header of the type g follows another one for the same entry',
  ],
  ['TAR-15 a pax path that is empty', tarOf(pax({ path: '' }), {}), 'ambiguous', '', 'its pax record path is empty'],
  [
    'TAR-15 records in another character set',
    tarOf(pax({ hdrcharset: 'BINARY' }), {}),
    'ambiguous',
    'a',
    'its pax records are written in "BINARY"',
  ],
  [
    'TAR-15 a prefix in a header of GNU',
    tarOf({ magic: GNU_MAGIC, prefix: 'evil' }),
    'ambiguous',
    undefined,
    'a header in GNU format has something where others keep the first part of the name',
  ],
  ['TAR-16 a sparse file of GNU', tarOf({ flag: 'S', magic: GNU_MAGIC }), 'sparse', 'a', 'it is a sparse file'],
  [
    'TAR-16 a sparse file of pax',
    tarOf(pax({ 'GNU.sparse.realsize': '99999999999' }), {}),
    'sparse',
    'a',
    'it has the pax record GNU.sparse.realsize',
  ],
  [
    'TAR-17 a file behind the end',
    Buffer.concat([tarOf({}), raw()]),
    'trailing',
    undefined,
    'something follows the end of the archive',
  ],
  [
    'TAR-17 a byte behind the end',
    Buffer.concat([tarOf({}), Buffer.alloc(600), Buffer.from('x')]),
    'trailing',
    undefined,
    'something follows the end of the archive',
  ],
  [
    'TAR-17 one block of zeros, then a file',
    tarOf(Buffer.alloc(512), {}),
    'trailing',
    undefined,
    'a block of zeros is followed by more',
  ],
  [
    'TAR-17 something in the padding',
    tarOf(Buffer.concat([raw({ size: 3 }), Buffer.from('abc'), Buffer.alloc(509, 'x')])),
    'trailing',
    undefined,
    'what fills up the last block of a content is not zero',
  ],
  [
    'TAR-17 half an end',
    Buffer.concat([raw(), Buffer.alloc(512)]),
    'truncated',
    undefined,
    'it is cut off behind 1024 bytes',
  ],
  ['TAR-17 half a header', raw().subarray(0, 300), 'truncated', undefined, 'it is cut off behind 300 bytes'],
  ['TAR-17 half a content', raw({ size: 9000 }), 'truncated', undefined, 'it is cut off behind 512 bytes'],
  [
    'TAR-17 half a block at the end',
    Buffer.concat([tarOf({}), Buffer.alloc(100)]),
    'truncated',
    undefined,
    'its 1636 bytes are no whole blocks',
  ],
  ['TAR-17 nothing', Buffer.alloc(0), 'empty', undefined, 'it is empty'],
  [
    'TAR-18 a wrong checksum',
    tarOf({ checksum: '0000001\0' }),
    'checksum',
    undefined,
    'the checksum of a header is 7337, not "0000001\\u0000"',
  ],
  [
    'TAR-18 the checksum of signed bytes',
    tarOf({ name: 'é', checksum: '006752\0 ' }),
    'checksum',
    undefined,
    'the checksum of a header is 7752, not "006752\\u0000 "',
  ],
  [
    'TAR-18 a header from before POSIX',
    tarOf({ magic: '' }),
    'format',
    undefined,
    `its headers are neither POSIX ustar nor GNU: ${nul('', 8)}`,
  ],
  [
    'TAR-18 text',
    Buffer.alloc(1024, 'not a tar, but a text. '),
    'format',
    undefined,
    'it is no tar: it begins with "not a tar, but a"',
  ],
  [
    'TAR-19 a directory with content',
    tarOf({ flag: '5', body: 'x' }),
    'size-on-link',
    'a',
    'a directory has 1 bytes of content',
  ],
  [
    'TAR-19 a symlink with content',
    tarOf({ ...symlink('a', 'b'), body: 'x' }),
    'size-on-link',
    'a',
    'a symlink has 1 bytes of content',
  ],
  [
    'TAR-19 a file whose name ends with a slash',
    tarOf({ name: 'a/' }),
    'format',
    'a/',
    'it is a file whose name ends with a slash',
  ],
  [
    'TAR-19 a type of nobody',
    tarOf({ flag: 'Z' }),
    'format',
    'a',
    'it is of the type "Z", which readers take for different things',
  ],
  ['TAR-22 a NUL in a name', tarOf({ name: 'a\0b' }), 'name', 'a', `a NUL stands in a name: ${nul('a\0b', 100)}`],
  [
    'TAR-22 a NUL in a long name',
    tarOf(gnuLong('L', 'a\0b'), {}),
    'name',
    'a\0b',
    'a long name is empty or has a NUL in it',
  ],
  [
    'TAR-22 a name that is not UTF-8',
    tarOf({ name: Buffer.from([0x61, 0xff]) }),
    'name',
    'aÿ',
    'the name "aÿ" is not UTF-8',
  ],
  [
    'TAR-22 a long part',
    tarOf(pax({ path: 'é'.repeat(128) }), {}),
    'name',
    'é'.repeat(128),
    'a part of the name is longer than 255 bytes',
  ],
  [
    'TAR-22 a long name',
    tarOf(pax({ path: `${'a'.repeat(200)}/`.repeat(21) }), { flag: '5' }),
    'name',
    `${'a'.repeat(200)}/`.repeat(21),
    'the name has more than 4096 bytes',
  ],
  ['TAR-22 a deep name', tarOf(pax({ path: deep }), {}), 'name', deep, 'the name is more than 256 directories deep'],
  ['TAR-23 too many entries', tarOf({}, { name: 'b' }, { name: 'c' }), 'bomb', undefined, 'it has more than 2 entries'],
  ['TAR-23 too many bytes', tarOf({ body: Buffer.alloc(70_000) }), 'bomb', undefined, 'it holds more than 65536 bytes'],
  [
    'TAR-24 a pax header for a pax header',
    tarOf(...Array.from({ length: 100_000 }, () => raw(pax({ a: 'b' })))),
    'pax',
    undefined,
    'a header of the type x follows another one for the same entry',
  ],
  ['TAR-28 a negative owner', tarOf(pax({ uid: '-1' }), {}), 'owner', 'a', 'its owner is "-1"'],
  ['TAR-28 a large owner', tarOf(pax({ gid: '4294967295' }), {}), 'owner', 'a', 'its owner is "4294967295"'],
  [
    'TAR-28 a negative owner in base-256',
    tarOf({ uid: base256(-1n, 8) }),
    'owner',
    'a',
    `its owner is ${JSON.stringify('\xff'.repeat(8))}`,
  ],
  ['TAR-29 a time that is no number', tarOf(pax({ mtime: 'NaN' }), {}), 'time', 'a', 'its time is "NaN"'],
  [
    'TAR-30 a zip',
    Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(1020, 1)]),
    'format',
    undefined,
    'it is a zip archive',
  ],
  [
    'CMP-6 what is compressed with xz',
    Buffer.concat([Buffer.from('\xfd7zXZ\0', 'latin1'), Buffer.alloc(1018, 1)]),
    'format',
    undefined,
    'it is compressed with xz',
  ],
];

/** In trees; layers may have them, since whoever unpacks one confines it. */
const IN_TREES: readonly Row[] = [
  ['TAR-17 no end', raw(), 'truncated', undefined, 'it is cut off behind 512 bytes'],
  ['TAR-2 an absolute name', tarOf({ name: '/etc/x' }), 'absolute', '/etc/x', 'the name begins with `/`'],
  ['TAR-2 an absolute hard link', tarOf(link('x', '/etc/passwd')), 'absolute', 'x', 'the name begins with `/`'],
  [
    'TAR-3 a link that leads out',
    tarOf(symlink('d', '/outside'), { name: 'd/pwn' }),
    'traversal',
    'd',
    'it is a link to /outside, which leads out',
  ],
  [
    'TAR-3 a relative link that leads out',
    tarOf(symlink('d', '../outside')),
    'traversal',
    'd',
    'it is a link to ../outside, which leads out',
  ],
  [
    'TAR-3 a file behind a link',
    tarOf(symlink('d', 'e'), { name: 'd/pwn' }),
    'through-link',
    'd/pwn',
    'it lies behind the link d',
  ],
  [
    'TAR-3 a link in the place of a directory',
    tarOf({ name: 'd/x' }, symlink('d', 'e')),
    'duplicate',
    'd',
    'it is a directory already',
  ],
  [
    'TAR-5 a link to a neighbour of the root',
    tarOf(symlink('a/x', '../../dst-evil')),
    'traversal',
    'a/x',
    'it is a link to ../../dst-evil, which leads out',
  ],
  [
    'TAR-6 a hard link to a link',
    tarOf(symlink('s', 'x'), link('h', 's')),
    'link-target',
    'h',
    'it links to s, which is no file but a symlink',
  ],
  [
    'TAR-6 a hard link to a directory',
    tarOf({ name: 'd', flag: '5' }, link('h', 'd')),
    'link-target',
    'h',
    'it links to d, which is no file but a directory',
  ],
  [
    'TAR-6 a chain of links',
    tarOf(symlink('a/b/up', '../..'), symlink('a/escape', 'b/up/../..')),
    'link-target',
    'a/escape',
    'it is a link to b/up/../.., which goes up behind a name',
  ],
  [
    'TAR-7 a hard link to a file of the working directory',
    tarOf(link('x', 'package.json')),
    'link-order',
    'x',
    'it links to package.json, which does not come before it',
  ],
  [
    'TAR-8 a hard link before its file',
    tarOf(link('x', 'y'), { name: 'y' }),
    'link-order',
    'x',
    'it links to y, which does not come before it',
  ],
  ['TAR-9 a fifo', tarOf({ flag: '6' }), 'special', 'a', 'it is a fifo'],
  ['TAR-9 a device', tarOf({ flag: '4', devMajor: '0000010\0' }), 'special', 'a', 'it is a block-device'],
  ['TAR-20 a path twice', tarOf({ name: 'a/b' }, { name: './a//./b' }), 'duplicate', 'a/b', 'the path is there twice'],
  ['TAR-20 a directory twice', tarOf({ flag: '5' }, { flag: '5' }), 'duplicate', 'a', 'the path is there twice'],
  [
    'TAR-20 a directory that is a file',
    tarOf({}, { name: 'a/b' }),
    'duplicate',
    'a/b',
    'it lies in a, which is a file',
  ],
  ['TAR-20 a file that is a directory', tarOf({ name: 'a/b' }, {}), 'duplicate', 'a', 'it is a directory already'],
];

const odd = 'the name has a backslash, a drive letter or a control character in it';
const IN_TARBALLS: readonly Row[] = ['a\nb', 'a\u001b[2Jb', 'a\\b', 'C:x'].map((name) => [
  `TAR-22 the name ${JSON.stringify(name)}`,
  tarOf({ name }),
  'name',
  name,
  odd,
]);

const OF_OURS: readonly Row[] = [
  ['TAR-10 a setuid file', tarOf({ mode: '0004755\0' }), 'setid', 'a', 'its mode is 4755'],
  ['TAR-10 a setgid file', tarOf({ mode: '0002755\0' }), 'setid', 'a', 'its mode is 2755'],
  ['TAR-10 a sticky file', tarOf({ mode: '0001777\0' }), 'setid', 'a', 'its mode is 1777'],
  ...['security.capability', 'trusted.overlay.opaque', 'user.overlay.opaque', 'system.posix_acl_access'].map(
    (name): Row => [
      `TAR-10 the attribute ${name}`,
      tarOf(pax({ [`SCHILY.xattr.${name}`]: '\u0001\0' }), {}),
      'xattr',
      'a',
      `it has the extended attribute SCHILY.xattr.${name}`,
    ],
  ),
  ['TAR-25 a deletion', tarOf({ name: 'd/.wh.x' }), 'whiteout', 'd/.wh.x', 'its name means a deletion in a layer'],
];

const SMALL = { most: 65_536, mostEntries: 2 };

const DELETIONS: readonly (readonly [string, RawHeader, string, string])[] = [
  ['nothing', { name: '.wh.' }, '.wh.', 'it deletes nothing that has a name'],
  ['.', { name: 'd/.wh..' }, 'd/.wh..', 'it deletes nothing that has a name'],
  ['..', { name: 'd/.wh...' }, 'd/.wh...', 'it deletes nothing that has a name'],
  ['by a directory', { name: '.wh.d', flag: '5' }, '.wh.d', 'a deletion is an empty file, not a directory'],
  ['by a symlink', symlink('.wh.d', 'x'), '.wh.d', 'a deletion is an empty file, not a symlink'],
  ['by a hard link', link('.wh.d', 'x'), '.wh.d', 'a deletion is an empty file, not a link'],
  ['with content', { name: '.wh.d', body: 'x' }, '.wh.d', 'a deletion is an empty file, not one of 1 bytes'],
  ['and holds a file', { name: '.wh.d/x' }, '.wh.d/x', 'a deletion cannot hold other entries'],
];

describe('the reader of tars', () => {
  it('TAR-26 refuses in layers the device 0:0', () => {
    const why = 'it is the device 0:0, which is a deletion to overlayfs';
    refuses([LAYER], ['', tarOf({ flag: '3' }), 'special', 'a', why]);
  });

  it.each(DELETIONS)('TAR-25 refuses in layers a deletion of %s', (_, header, path, why) => {
    const [entry] = parse(tarOf(header), LAYER).entries;
    const act = () => whiteoutOf(entry as TarEntry);
    expect(act).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_INVALID', why, details: { rule: 'whiteout', entry: path } }),
    );
  });

  it.each(ALWAYS)('refuses %s', (...row) => {
    const limits = row[2] === 'bomb' ? SMALL : {};
    refuses(
      [
        { ...LAYER, ...limits },
        { ...TREE, ...limits },
        { ...APP_LAYER, ...limits },
      ],
      row,
    );
  });

  it.each(IN_TREES)('refuses in trees %s', (...row) => refuses([TREE, APP_LAYER], row));

  it.each(IN_TARBALLS)('refuses in tarballs %s', (...row) => refuses([TREE], row));

  it.each(OF_OURS)('refuses in what pack-build writes %s', (...row) => refuses([APP_LAYER], row));

  it.each([...IN_TREES, ...IN_TARBALLS, ...OF_OURS])('takes in for a layer %s', (_, bytes) =>
    expect(parse(bytes, LAYER).error).toBeUndefined(),
  );

  it('TAR-14 keeps records named like built-in properties to itself', () => {
    const { entries, error } = parse(tarOf(pax({ __proto__: 'x', constructor: 'y', 'a.b': 'c' }), {}), TREE);
    expect([entries.map(({ path }) => path), error]).toEqual([['a'], undefined]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('TAR-20 gives every entry of a layer, so that the last one counts', () => {
    const { entries } = parse(tarOf({ mode: '0000600\0' }, { name: './a', mode: '0000755\0' }), LAYER);
    expect(entries.map(({ path, mode }) => [path, mode])).toEqual([
      ['a', 0o600],
      ['a', 0o755],
    ]);
  });

  it('TAR-21 keeps names apart that some file systems take for one', () => {
    const names = ['A', 'a', 'e\u0301', '\u00e9', 'ss', 'ß', 'ﬁ', 'fi'];
    const { entries, error } = parse(tarOf(...names.map((name) => ({ name }))), TREE);
    expect([entries.map(({ path }) => path), error]).toEqual([names, undefined]);
  });

  it('TAR-22 prints no control characters', () => {
    const { error } = parse(tarOf({ name: 'a\u001b[2J\u009b1m\n' }), TREE);
    expect(error?.message).toBe('a tar archive is refused because of "a\\u001b[2J\\x9b1m\\n"');
  });

  it('TAR-23 refuses content by its header, before it is there', () => {
    const { entries, error } = parse(raw({ size: 0o77777777777 }), { ...TREE, most: 1000 });
    expect([entries, error?.details['rule']]).toEqual([[], 'bomb']);
  });

  it.each([
    ['a negative one', '-1.5', -1.5],
    ['one with nanoseconds', '1700000000.123456789', 1_700_000_000.123_456_7],
    ['one of the year 9999', '253402300799', 253_402_300_799],
  ])('TAR-29 takes in any time: %s', (_, text, time) => {
    let mtime = 0;
    const parser = tarParser(TREE, { begin: (head) => (mtime = head.mtime), data: () => {}, end: () => {} });
    parser.push(tarOf(pax({ mtime: text }), {}));
    parser.finish();
    expect(mtime).toBe(time);
  });

  it('TAR-29 takes in a negative time in base-256', () => {
    expect(parse(tarOf({ mtime: base256(-5n, 12) }), TREE).error).toBeUndefined();
  });

  it('takes in what git archive writes: a comment for all', () => {
    const { entries } = parse(tarOf(pax({ comment: 'f'.repeat(40) }, 'g'), {}), TREE);
    expect(entries.map(({ path }) => path)).toEqual(['a']);
  });

  it('takes in a layer of nothing', () => {
    expect(parse(END, LAYER)).toEqual({ entries: [] });
  });
});

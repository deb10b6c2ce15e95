import fc from 'fast-check';
import { base256, GNU_MAGIC, gnuLong, pax, type RawHeader, raw, resum, tarOf } from './tar-bytes.js';

/** Tars as odd as the format lets them be, and a little odder; most of them mean something. */
export function oddTar(): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.array(oddEntry(), { minLength: 1, maxLength: 5 }), fc.array(mutation(), { maxLength: 2 }), fc.boolean())
    .map(([entries, mutations, summed]) => {
      const bytes = tarOf(...entries.map((parts) => Buffer.concat(parts)));
      for (const { at, value } of mutations) mutate(bytes, Math.floor(at * bytes.byteLength), value, summed);
      return bytes;
    });
}

/** Changes a byte; with `summed`, also the checksum, if there is a header. */
export function mutate(bytes: Buffer, at: number, value: number, summed: boolean): void {
  bytes[at] = value;
  const block = at - (at % 512);
  if (summed && bytes.toString('latin1', block + 257, block + 262) === 'ustar') resum(bytes, block);
}

function mutation() {
  const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  return fc.record({ at, value: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x20, 0x2f, 0x30, 0x37, 0x80, 0xff)) });
}

const part = fc.constantFrom(
  'a',
  'b',
  'long'.repeat(20),
  'é',
  'x y',
  '.',
  '',
  '...',
  '"q"',
  "it's",
  'a\nb',
  '\\n',
  '.wh.x',
  '日本',
);
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const short = name.filter((text) => Buffer.byteLength(text) <= 100);

function oddEntry(): fc.Arbitrary<Buffer[]> {
  return fc
    .record({ before: extensions(), header: oddHeader() })
    .map(({ before, header }) => [...before, header].map(raw));
}

function extensions(): fc.Arbitrary<RawHeader[]> {
  const records = fc.dictionary(
    fc.constantFrom(
      'path',
      'linkpath',
      'size',
      'mtime',
      'uid',
      'gid',
      'uname',
      'comment',
      'SCHILY.xattr.user.x',
      'x.y',
      'hdrcharset',
    ),
    fc.oneof(name, fc.constantFrom('1', '12.5', '-3', '0', 'x', '100', '')),
    { minKeys: 1, maxKeys: 3 },
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant<RawHeader[]>([]) },
    { weight: 2, arbitrary: records.map((found): RawHeader[] => [pax(found)]) },
    { weight: 1, arbitrary: name.map((text): RawHeader[] => [gnuLong('L', text)]) },
    { weight: 1, arbitrary: fc.tuple(name, name).map(([a, b]): RawHeader[] => [gnuLong('K', a), gnuLong('L', b)]) },
    { weight: 1, arbitrary: fc.constant<RawHeader[]>([pax({ comment: 'c' }, 'g')]) },
    { weight: 1, arbitrary: records.map((found): RawHeader[] => [pax(found, 'g')]) },
  );
}

function oddHeader(): fc.Arbitrary<RawHeader> {
  const number = (length: number) =>
    fc.oneof(
      fc.nat(0o7777).map((value) => `${value.toString(8).padStart(length - 1, '0')}\0`),
      fc.nat(0o7777).map((value) => `${value.toString(8).padStart(length - 2, '0')} \0`),
      fc.nat(0o7777).map((value) => value.toString(8).padStart(length, '0')),
      fc.nat(0o7777).map((value) => `${value.toString(8)} `),
      fc.integer({ min: -9, max: 99_999 }).map((value) => base256(BigInt(value), length)),
      fc.constantFrom('', ' 12', '8', 'x', '-1'),
    );
  const usual = <T>(value: T, odd: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: odd });
  const body = fc.oneof(
    fc.constant(''),
    fc.constantFrom('x', 'some text', 'y'.repeat(511), 'z'.repeat(512), 'w'.repeat(1300)),
  );
  const file = fc.record({ name: short, body, flag: usual('0', fc.constant('\0')) });
  const other = fc.record({
    name: usual('plain', short),
    link: usual('target', short),
    flag: fc.constantFrom('1', '2', '3', '4', '5', '6', '7', 'S', 'V', 'A'),
  });
  const common = fc.record({
    magic: usual('ustar\u000000', fc.constantFrom(GNU_MAGIC, '', 'ustar\u0000\u0000\u0000')),
    prefix: usual('', short),
    mode: usual('0000644\0', number(8) as fc.Arbitrary<string>),
    uid: usual<string | Buffer>('0000000\0', number(8)),
    mtime: usual<string | Buffer>('00000000001\0', number(12)),
    devMajor: usual('0000001\0', fc.constant('')),
  });
  return fc
    .tuple(fc.oneof({ weight: 3, arbitrary: file }, { weight: 2, arbitrary: other }), common)
    .map(([first, second]): RawHeader => ({ ...first, ...second }));
}

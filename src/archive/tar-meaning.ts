import { isUtf8 } from 'node:buffer';
import { attributesIn, isAttribute, type PaxRecords } from './pax-records.js';
import type { TarBlock } from './tar-block.js';
import type { TarEntry, TarHead, TarType } from './tar-entry.js';
import { refused, shortened } from './tar-fault.js';
import { decimal, numberAt } from './tar-number.js';
import { cleanPath } from './tar-path.js';
import type { TarProfile } from './tar-profile.js';

/** What headers before an entry's own said of it. */
export interface Extensions {
  readonly pax?: PaxRecords | undefined;
  /** GNU's long name and long link. */
  readonly name?: Buffer | undefined;
  readonly link?: Buffer | undefined;
}

const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
};

/** The entry that a header and its extensions mean. `offset` is where its content begins. Throws `ARCHIVE_INVALID`. */
export function headOf(header: TarBlock, extensions: Extensions, offset: number, profile: TarProfile): TarHead {
  const { pax } = extensions;
  const name = pax?.get('path') ?? textOf(extensions.name ?? header.name);
  const type = TYPES[header.flag];
  if (type === undefined) {
    if (header.flag === 'S') throw refused('sparse', 'it is a sparse file', name);
    throw refused(
      'format',
      `it is of the type ${shortened(header.flag)}, which readers take for different things`,
      name,
    );
  }
  if (pax !== undefined) requireKnown(pax, name, profile);
  const path = cleanPath(name, profile);
  if (type !== 'directory' && name.endsWith('/'))
    throw refused('format', `it is a ${type} whose name ends with a slash`, name);
  if (type !== 'directory' && path === '')
    throw refused('root-replaced', `a ${type} would take the place of the root`, name);
  const size = sizeOf(header, pax, name);
  if (type !== 'file' && size !== 0) throw refused('size-on-link', `a ${type} has ${size} bytes of content`, name);
  const entry: TarEntry = {
    path,
    type,
    mode: modeOf(header, name),
    uid: ownerOf(header, 108, pax?.get('uid'), name),
    gid: ownerOf(header, 116, pax?.get('gid'), name),
    size,
    linkName: type === 'link' || type === 'symlink' ? linkOf(header, extensions, type, name, profile) : undefined,
    ...(type === 'character-device' || type === 'block-device' ? devicesOf(header) : {}),
  };
  requireAllowed(entry, name, profile);
  const attributes = pax === undefined ? [] : attributesIn(pax);
  const head = { entry, mtime: timeOf(header, pax?.get('mtime'), name), offset };
  return attributes.length === 0 ? head : { ...head, attributes };
}

/** Bytes of a header as the name that they are. */
export function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    const text = bytes.toString('latin1');
    throw refused('name', `the name ${shortened(text)} is not UTF-8`, text);
  }
  return bytes.toString();
}

/** Records that change what an entry is, in some readers and not in others. */
function requireKnown(pax: PaxRecords, name: string, profile: TarProfile): void {
  for (const [key, value] of pax) {
    if (key.startsWith('GNU.') || key === 'SCHILY.realsize')
      throw refused('sparse', `it has the pax record ${key}`, name);
    if (key === 'hdrcharset' && value !== 'ISO-IR 10646 2000 UTF-8') {
      throw refused('ambiguous', `its pax records are written in ${shortened(value)}`, name);
    }
    if ((key === 'path' || key === 'linkpath') && value === '') {
      throw refused('ambiguous', `its pax record ${key} is empty`, name);
    }
    if (isAttribute(key) && !profile.privileged) throw refused('xattr', `it has the extended attribute ${key}`, name);
  }
}

function sizeOf({ size }: TarBlock, pax: PaxRecords | undefined, name: string): number {
  const text = pax?.get('size');
  if (text === undefined) return size;
  const value = decimal(text);
  if (value === undefined) throw refused('size', `its pax record says that it has ${shortened(text)} bytes`, name);
  if (size !== 0 && size !== value) {
    throw refused('size-conflict', `its header says that it has ${size} bytes, its pax record ${value}`, name);
  }
  return value;
}

function modeOf({ block }: TarBlock, name: string): number {
  const mode = numberAt(block, 100, 8);
  if (mode === undefined || mode < 0) throw refused('format', `its mode is ${shownField(block, 100, 8)}`, name);
  return mode & 0o7777;
}

/** The largest is kept for "nobody in particular" by the kernel. */
const MOST_OWNER = 2 ** 32 - 2;

function ownerOf({ block }: TarBlock, at: number, text: string | undefined, name: string): number {
  const field = numberAt(block, at, 8);
  // A field that is no number stops some readers, also where a record takes its place.
  const value = text === undefined || field === undefined ? field : decimal(text);
  if (value !== undefined && value >= 0 && value <= MOST_OWNER) return value;
  const seen = text === undefined || field === undefined ? shownField(block, at, 8) : shortened(text);
  throw refused('owner', `its owner is ${seen}`, name);
}

function timeOf({ block }: TarBlock, text: string | undefined, name: string): number {
  const field = numberAt(block, 136, 12);
  const value = text === undefined || field === undefined ? field : pointInTime(text);
  if (value !== undefined) return value;
  const seen = text === undefined || field === undefined ? shownField(block, 136, 12) : shortened(text);
  throw refused('time', `its time is ${seen}`, name);
}

function pointInTime(text: string): number | undefined {
  const whole = /^-?\d{1,19}(\.\d{0,30})?$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(whole) < 2 ** 63 ? whole : undefined;
}

function linkOf(header: TarBlock, { pax, link }: Extensions, type: TarType, name: string, profile: TarProfile): string {
  const target = pax?.get('linkpath') ?? textOf(link ?? header.link);
  if (target === '') throw refused('link-target', 'it is a link to nothing', name);
  if (Buffer.byteLength(target) > 4095) throw refused('link-target', 'it is a link to more than 4095 bytes', name);
  return type === 'link' ? cleanPath(target, profile, name) : target;
}

function devicesOf({ block }: TarBlock): { readonly devMajor: number; readonly devMinor: number } {
  return { devMajor: numberAt(block, 329, 8) ?? 0, devMinor: numberAt(block, 337, 8) ?? 0 };
}

function requireAllowed(entry: TarEntry, name: string, profile: TarProfile): void {
  const { path, type, mode, devMajor, devMinor, linkName } = entry;
  if (type === 'link' && linkName === path) throw refused('link-self', 'it is a hard link to itself', name);
  if (type === 'character-device' || type === 'block-device' || type === 'fifo') {
    if (!profile.special) throw refused('special', `it is a ${type}`, name);
    if (type === 'character-device' && devMajor === 0 && devMinor === 0)
      throw refused('special', 'it is the device 0:0, which is a deletion to overlayfs', name);
  }
  if (!profile.privileged && type === 'file' && (mode & 0o7000) !== 0)
    throw refused('setid', `its mode is ${mode.toString(8)}`, name);
  if (!profile.whiteouts && path.includes('.wh.') && path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.'))
    throw refused('whiteout', 'its name means a deletion in a layer', name);
}

function shownField(block: Buffer, at: number, length: number): string {
  return shortened(block.toString('latin1', at, at + length));
}

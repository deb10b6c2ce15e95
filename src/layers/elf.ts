/** What an ELF file says of itself and of what it needs to run. */
export interface Elf {
  /** The processor it is for, as a number (`e_machine`). */
  readonly machine: number;
  /** The dynamic loader that starts it (PT_INTERP). */
  readonly interpreter?: string;
  /** Names of the libraries it asks for (DT_NEEDED), in its order. */
  readonly needed: readonly string[];
  /** The name by which others ask for it (DT_SONAME). */
  readonly soname?: string;
  /** Where it says that its libraries are: DT_RUNPATH, else DT_RPATH. */
  readonly runpath: readonly string[];
  /** Versions of symbols that it asks for, with the library that is to have them (GNU symbol versioning, .gnu.version_r). */
  readonly versionsNeeded: readonly (readonly [library: string, version: string])[];
  /** Versions of symbols that it has for others (.gnu.version_d). */
  readonly versions: readonly string[];
}

/** Reads up to `length` bytes of a file from `offset` on: fewer, or none, where the file ends. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/**
 * Reads the headers of an ELF file (System V ABI, chapters 4 and 5): 32 or 64 bits, either byte order. Undefined for what is
 * no ELF file. Of a damaged one, it gives what can be read; it reads little of any file and always ends.
 */
export function readElf(read: ReadAt): Elf | undefined {
  const file = openElf(read);
  if (file === undefined) return undefined;
  const segments = segmentsOf(file);
  const dynamic = dynamicOf(file, segments);
  const at = (tag: number) => {
    const address = dynamic.get(tag)?.[0];
    return address === undefined ? undefined : fileOffset(segments, address);
  };
  const table = at(DT_STRTAB);
  const text = (offset: number) => (table === undefined ? undefined : stringAt(file, table + offset));
  const names = (tag: number) => defined((dynamic.get(tag) ?? []).map(text));
  const loader = segments.find(({ type }) => type === PT_INTERP);
  const interpreter = loader === undefined ? undefined : stringAt(file, loader.offset);
  const soname = names(DT_SONAME)[0];
  const runpath = names(DT_RUNPATH)[0] ?? names(DT_RPATH)[0];
  return {
    machine: file.machine,
    ...(interpreter === undefined ? {} : { interpreter }),
    needed: names(DT_NEEDED),
    ...(soname === undefined ? {} : { soname }),
    runpath: (runpath ?? '').split(':').filter((directory) => directory !== ''),
    versionsNeeded: versionsNeeded(file, at(DT_VERNEED), text),
    versions: versionsDefined(file, at(DT_VERDEF), text),
  };
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_SONAME = 14;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const DT_VERDEF = 0x6ffffffc;
const DT_VERNEED = 0x6ffffffe;
const VER_FLG_BASE = 1;
const VER_FLG_WEAK = 2;

/** True files have some ten segments, a hundred dynamic entries and short names: more is damage or malice. */
const MAX_SEGMENTS = 256;
const MAX_DYNAMIC = 2048;
const MAX_STRING = 4096;
const MAX_VERSIONS = 1024;

interface ElfFile {
  readonly read: ReadAt;
  readonly wide: boolean;
  readonly little: boolean;
  readonly machine: number;
  readonly header: DataView;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function openElf(read: ReadAt): ElfFile | undefined {
  const header = bytesAt(read, 0, 64);
  if (header.byteLength < 52 || header.getUint32(0) !== 0x7f454c46) return undefined;
  const [bits, order] = [header.getUint8(4), header.getUint8(5)];
  const wide = bits === 2;
  if ((bits !== 1 && !wide) || (order !== 1 && order !== 2) || (wide && header.byteLength < 64)) return undefined;
  return { read, wide, little: order === 1, machine: header.getUint16(18, order === 1), header };
}

function segmentsOf(file: ElfFile): readonly Segment[] {
  const { header, wide, little } = file;
  const start = word(file, header, wide ? 32 : 28);
  const size = header.getUint16(wide ? 54 : 42, little);
  const count = Math.min(header.getUint16(wide ? 56 : 44, little), MAX_SEGMENTS);
  if (size !== (wide ? 56 : 32)) return []; // the kernel runs no other
  const bytes = bytesAt(file.read, start, size * count);
  const segments: Segment[] = [];
  for (let at = 0; at + size <= bytes.byteLength; at += size) {
    segments.push({
      type: bytes.getUint32(at, little),
      offset: word(file, bytes, at + (wide ? 8 : 4)),
      address: word(file, bytes, at + (wide ? 16 : 8)),
      size: word(file, bytes, at + (wide ? 32 : 16)),
    });
  }
  return segments;
}

/** The values of each tag of the dynamic section. */
function dynamicOf(file: ElfFile, segments: readonly Segment[]): ReadonlyMap<number, readonly number[]> {
  const values = new Map<number, number[]>();
  const segment = segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return values;
  const width = file.wide ? 8 : 4;
  const bytes = bytesAt(file.read, segment.offset, Math.min(segment.size, MAX_DYNAMIC * 2 * width));
  for (let at = 0; at + 2 * width <= bytes.byteLength; at += 2 * width) {
    const tag = word(file, bytes, at);
    if (tag === 0) break;
    const known = values.get(tag);
    const value = word(file, bytes, at + width);
    if (known === undefined) values.set(tag, [value]);
    else known.push(value);
  }
  return values;
}

type Text = (offset: number) => string | undefined;

/** Elf32_Verneed and Elf64_Verneed are alike, and so are their Vernaux. A weak version is asked for, but not needed. */
function versionsNeeded(file: ElfFile, start: number | undefined, text: Text): Elf['versionsNeeded'] {
  const found: (readonly [string, string])[] = [];
  const budget = { left: MAX_VERSIONS };
  for (const [at, entry] of chained(file, start, 16, 12, budget)) {
    const library = text(entry.getUint32(4, file.little));
    for (const [, aux] of chained(file, at + entry.getUint32(8, file.little), 16, 12, budget)) {
      const version = text(aux.getUint32(8, file.little));
      const isWeak = (aux.getUint16(4, file.little) & VER_FLG_WEAK) !== 0;
      if (library !== undefined && version !== undefined && !isWeak) found.push([library, version]);
    }
  }
  return found;
}

/** The name of each Verdef is that of its first Verdaux; the base definition names the library itself. */
function versionsDefined(file: ElfFile, start: number | undefined, text: Text): Elf['versions'] {
  const found: string[] = [];
  for (const [at, entry] of chained(file, start, 20, 16, { left: MAX_VERSIONS })) {
    if ((entry.getUint16(2, file.little) & VER_FLG_BASE) !== 0) continue;
    const aux = bytesAt(file.read, at + entry.getUint32(12, file.little), 8);
    const version = aux.byteLength < 8 ? undefined : text(aux.getUint32(0, file.little));
    if (version !== undefined) found.push(version);
  }
  return found;
}

/** Records that each say how far the next one is, until one says 0 or the budget for all of them is spent. */
function* chained(
  file: ElfFile,
  start: number | undefined,
  size: number,
  nextAt: number,
  budget: { left: number },
): Generator<readonly [at: number, record: DataView]> {
  if (start === undefined) return;
  for (let at = start; budget.left > 0; budget.left -= 1) {
    const record = bytesAt(file.read, at, size);
    if (record.byteLength < size) return;
    yield [at, record];
    const next = record.getUint32(nextAt, file.little);
    if (next === 0) return;
    at += next;
  }
}

/** Where in the file the bytes are that a program finds at an address. */
function fileOffset(segments: readonly Segment[], address: number): number | undefined {
  const segment = segments.find(
    ({ type, address: start, size }) => type === PT_LOAD && address >= start && address < start + size,
  );
  return segment === undefined ? undefined : segment.offset + (address - segment.address);
}

/** Undefined for a string that does not end, is empty, or has what no name has. */
function stringAt({ read }: ElfFile, offset: number): string | undefined {
  const { buffer, byteOffset, byteLength } = bytesAt(read, offset, MAX_STRING);
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const end = bytes.indexOf(0);
  const text = bytes.toString('utf8', 0, Math.max(end, 0));
  return text === '' || /\p{Cc}|\ufffd/u.test(text) ? undefined : text;
}

/** A word of the file's size. One too large for a number is larger than any file, which is all that matters of it. */
function word({ wide, little }: Pick<ElfFile, 'wide' | 'little'>, view: DataView, at: number): number {
  return wide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
}

function bytesAt(read: ReadAt, offset: number, length: number): DataView {
  const bytes = Number.isSafeInteger(offset + length) ? read(offset, length) : new Uint8Array();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function defined<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

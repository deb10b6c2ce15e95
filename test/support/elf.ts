export interface ElfParts {
  readonly wide?: boolean;
  readonly little?: boolean;
  readonly machine?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly soname?: string;
  readonly runpath?: string;
  readonly rpath?: string;
  readonly versionsNeeded?: readonly (readonly [library: string, version: string])[];
  readonly versions?: readonly string[];
}

/** Where the file's bytes lie in memory: another number than in the file, so that the two cannot be mixed up. */
const ADDRESS = 0x40_0000;

/** The headers of an ELF file, and nothing that could run. */
export function elfFile(parts: ElfParts = {}): Buffer {
  const { wide = true, little = true, machine = 62, interpreter, needed = [], soname, runpath, rpath } = parts;
  const { versionsNeeded = [], versions = [] } = parts;
  const texts = [
    ...(interpreter === undefined ? [] : [interpreter]),
    ...needed,
    soname,
    runpath,
    rpath,
    ...versionsNeeded.flat(),
    ...versions,
  ];
  const strings = Buffer.from(`\0${texts.filter((text) => text !== undefined).join('\0')}\0`);
  const [header, segment, width] = wide ? [64, 56, 8] : [52, 32, 4];
  const stringsAt = header + 3 * segment;
  const dynamicAt = stringsAt + strings.byteLength;
  const inTable = (text: string) => strings.indexOf(`\0${text}\0`) + 1;
  const dynamic: (readonly [number, number])[] = [
    ...needed.map((name) => [1, inTable(name)] as const),
    ...(soname === undefined ? [] : [[14, inTable(soname)] as const]),
    ...(rpath === undefined ? [] : [[15, inTable(rpath)] as const]),
    ...(runpath === undefined ? [] : [[29, inTable(runpath)] as const]),
    [5, ADDRESS + stringsAt],
  ];
  const versionsAt = dynamicAt + (dynamic.length + 3) * 2 * width;
  const tables = versionTables(versionsNeeded, versions, inTable, little);
  dynamic.push(
    [versionsNeeded.length === 0 ? 0x6ffffff0 : 0x6ffffffe, ADDRESS + versionsAt],
    [versions.length === 0 ? 0x6ffffff0 : 0x6ffffffc, ADDRESS + versionsAt + versionsNeeded.length * 32],
    [0, 0],
  );
  const size = versionsAt + tables.byteLength;
  const bytes = Buffer.alloc(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const word = (at: number, value: number) =>
    wide ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, value, little);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  view.setUint16(16, 3, little);
  view.setUint16(18, machine, little);
  view.setUint32(20, 1, little);
  word(wide ? 32 : 28, header);
  view.setUint16(wide ? 52 : 40, header, little);
  view.setUint16(wide ? 54 : 42, segment, little);
  view.setUint16(wide ? 56 : 44, 3, little);
  const segments = [
    [1, 0, ADDRESS, size],
    [2, dynamicAt, ADDRESS + dynamicAt, size - dynamicAt],
    interpreter === undefined ? [0, 0, 0, 0] : [3, stringsAt + 1, ADDRESS, interpreter.length + 1],
  ];
  for (const [number, [type = 0, offset = 0, address = 0, length = 0]] of segments.entries()) {
    const at = header + number * segment;
    view.setUint32(at, type, little);
    word(at + (wide ? 8 : 4), offset);
    word(at + (wide ? 16 : 8), address);
    word(at + (wide ? 32 : 16), length);
  }
  bytes.set(strings, stringsAt);
  for (const [number, [tag, value]] of dynamic.entries()) {
    word(dynamicAt + number * 2 * width, tag);
    word(dynamicAt + number * 2 * width + width, value);
  }
  bytes.set(tables, versionsAt);
  return bytes;
}

/** .gnu.version_r, each version with a record of its library, and behind it .gnu.version_d. */
function versionTables(
  needed: readonly (readonly [string, string])[],
  defined: readonly string[],
  inTable: (text: string) => number,
  little: boolean,
): Buffer {
  const records = [
    ...needed.flatMap(([library, version], at) => {
      const next = at + 1 === needed.length ? 0 : 32;
      return [
        [16, 1, 16, 1, 32, inTable(library), 32, 16, 32, next],
        [32, 0, 16, 0, 16, 2, 32, inTable(version), 32, 0],
      ];
    }),
    ...defined.flatMap((version, at) => {
      const next = at + 1 === defined.length ? 0 : 28;
      return [
        [16, 1, 16, 0, 16, at + 2, 16, 1, 32, 0, 32, 20, 32, next],
        [32, inTable(version), 32, 0],
      ];
    }),
  ];
  return Buffer.concat(records.map((record) => fieldsOf(record, little)));
}

/** Pairs of bits and value. */
function fieldsOf(pairs: readonly number[], little: boolean): Buffer {
  const fields: Buffer[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const [bits, value] = [pairs[at] as number, pairs[at + 1] as number];
    const field = Buffer.alloc(bits / 8);
    if (bits === 16) little ? field.writeUInt16LE(value) : field.writeUInt16BE(value);
    else little ? field.writeUInt32LE(value) : field.writeUInt32BE(value);
    fields.push(field);
  }
  return Buffer.concat(fields);
}

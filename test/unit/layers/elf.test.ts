import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ReadAt, readElf } from '../../../src/layers/elf.js';
import { type ElfParts, elfFile } from '../../support/elf.js';

function readerOf(bytes: Uint8Array): ReadAt {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

const name = fc.stringMatching(/^[a-zA-Z0-9_.+-]{1,20}$/);
const anyParts: fc.Arbitrary<ElfParts> = fc.record(
  {
    wide: fc.boolean(),
    little: fc.boolean(),
    machine: fc.integer({ min: 0, max: 0xffff }),
    interpreter: name.map((text) => `/lib/${text}`),
    needed: fc.array(name, { maxLength: 6 }),
    soname: name,
    versionsNeeded: fc.array(fc.tuple(name, name), { maxLength: 5 }),
    versions: fc.array(name, { maxLength: 5 }),
    runpath: fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.map((text) => `/${text}`).join(':')),
  },
  { noNullPrototype: true },
);

describe('readElf', () => {
  it('reads what any file says, of 32 and 64 bits and in both byte orders', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        expect(readElf(readerOf(elfFile(parts)))).toEqual({
          machine: parts.machine,
          ...(parts.interpreter === undefined ? {} : { interpreter: parts.interpreter }),
          needed: parts.needed,
          ...(parts.soname === undefined ? {} : { soname: parts.soname }),
          runpath: (parts.runpath ?? '').split(':').filter((text) => text !== ''),
          versionsNeeded: parts.versionsNeeded ?? [],
          versions: parts.versions ?? [],
        });
      }),
    );
  });

  it('takes a chain of versions that goes in circles for no more than a file can have', () => {
    const bytes = elfFile({
      versionsNeeded: [
        ['liba.so', 'A_1'],
        ['libb.so', 'B_1'],
      ],
    });
    const second = bytes.byteLength - 32;
    bytes.writeUInt32LE(0xffffffe0, second + 12); // back to the first, if the sum were cut to 32 bits
    bytes.writeUInt32LE(0, second + 8);
    expect(readElf(readerOf(bytes))?.versionsNeeded.length).toBeLessThanOrEqual(1024);
  });

  it('takes DT_RPATH only where there is no DT_RUNPATH', () => {
    expect(readElf(readerOf(elfFile({ rpath: '/a:/b' })))?.runpath).toEqual(['/a', '/b']);
    expect(readElf(readerOf(elfFile({ rpath: '/a', runpath: '$ORIGIN/c' })))?.runpath).toEqual(['$ORIGIN/c']);
  });

  it.each([
    ['nothing', ''],
    ['text', '#!/bin/sh\n'.repeat(20)],
    ['the magic number alone', '\x7fELF'],
    ['a header of no class', `\x7fELF\x03\x01${'\0'.repeat(60)}`],
    ['a header of no byte order', `\x7fELF\x02\x00${'\0'.repeat(60)}`],
  ])('takes %s for no ELF file', (_, text) => {
    expect(readElf(readerOf(Buffer.from(text, 'latin1')))).toBeUndefined();
  });

  it('gives what it can of a file that is cut off', () => {
    const whole = elfFile({ interpreter: '/lib/ld.so', needed: ['liba.so.1'] });
    for (let length = 0; length < whole.byteLength; length += 1) {
      const elf = readElf(readerOf(whole.subarray(0, length)));
      expect(elf === undefined).toBe(length < 64);
      expect(['liba.so.1', undefined]).toContain(elf?.needed[0]);
    }
  });

  it('reads no name with control characters in it, and none that is not UTF-8', () => {
    const bytes = elfFile({ needed: ['liba\x1b[31m.so', 'libb.so', 'libc'] });
    bytes[bytes.indexOf('libc')] = 0xff;
    expect(readElf(readerOf(bytes))?.needed).toEqual(['libb.so']);
  });

  it('never throws and reads little, whatever the bytes', () => {
    const damaged = fc
      .tuple(anyParts, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }))
      .map(([parts, changes]) => {
        const bytes = elfFile(parts);
        for (const [at, value] of changes) bytes[5 + (at % (bytes.byteLength - 5))] = value;
        return bytes;
      });
    const header = fc.uint8Array({ minLength: 60, maxLength: 300 }).map((rest) => {
      return Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1 + ((rest[0] ?? 0) % 2), 1]), rest]);
    });
    fc.assert(
      fc.property(fc.oneof(damaged, header, fc.uint8Array()), (bytes) => {
        const read = readerOf(bytes);
        let [reads, most] = [0, 0];
        readElf((offset, length) => {
          expect(Number.isSafeInteger(offset) && offset >= 0).toBe(true);
          reads += 1;
          most = Math.max(most, length);
          return read(offset, length);
        });
        expect(reads).toBeLessThan(3000);
        expect(most).toBeLessThanOrEqual(32_768);
      }),
      { numRuns: 2000 },
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packageReaderOf } from '../../../src/layers/package-database.js';

const read = (path: string, text: string) => packageReaderOf(path)?.(text);

describe('packageReaderOf', () => {
  it("reads dpkg's list: what is installed, each architecture by name", () => {
    const text = [
      'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b7\nDescription: shell\n Package: no\n',
      'Package: old\nStatus: deinstall ok config-files\nVersion: 1\n',
      'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36\n',
      'Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.36\n',
    ].join('\n');
    expect(read('var/lib/dpkg/status', text)).toEqual({ bash: '5.2.15-2+b7', libc6: '2.36', 'libc6:i386': '2.36' });
  });

  it('reads the lists of images without dpkg itself, which say nothing of a status', () => {
    expect(read('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2024a\n')).toEqual({ tzdata: '2024a' });
  });

  it("reads apk's list", () => {
    expect(read('lib/apk/db/installed', 'C:Q1\nP:musl\nV:1.2.5-r0\n\nP:busybox\nV:1.36\n\n')).toEqual({
      musl: '1.2.5-r0',
      busybox: '1.36',
    });
  });

  it('takes no other file for a list', () => {
    expect(packageReaderOf('app/var/lib/dpkg/status')).toBeUndefined();
    expect(packageReaderOf('var/lib/dpkg/status.d/a/b')).toBeUndefined();
  });

  it('makes of any text some list', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const packages = read('var/lib/dpkg/status', text) ?? {};
        expect(Object.values(packages).every((version) => typeof version === 'string')).toBe(true);
      }),
    );
  });
});

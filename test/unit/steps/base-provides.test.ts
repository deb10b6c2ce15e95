import { describe, expect, it } from '@jest/globals';
import type { Inventory, InventoryEntry } from '../../../src/layers/merge.js';
import { providesIn } from '../../../src/steps/base-provides.js';

/** Files by their paths; `path -> target` for links. */
function inventory(...lines: readonly string[]): Inventory {
  const entries = new Map<string, InventoryEntry>();
  const entry = (type: InventoryEntry['type'], target?: string) => ({
    type,
    target,
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 1,
  });
  for (const line of lines) {
    const [path = '', target] = line.split(' -> ');
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1)
      entries.set(names.slice(0, depth).join('/'), entry('directory'));
    entries.set(path, target === undefined ? entry('file') : entry('symlink', target));
  }
  return entries;
}

describe('providesIn', () => {
  it.each([
    'usr/lib/libx.so.1',
    'lib/libx.so.1',
    'usr/lib64/libx.so.1',
    'usr/local/lib/libx.so.1',
    'usr/lib/x86_64-linux-gnu/libx.so.1',
    'lib/arm-linux-gnueabihf/libx.so.1',
    'usr/local/lib/aarch64-linux-gnu/libx.so.1',
  ])('R121 finds a library at /%s', (path) => {
    expect(providesIn(inventory(path)).hasLibrary('libx.so.1')).toBe(true);
  });

  it.each([
    'usr/lib/x86_64-linux-gnu/blas/libx.so.1',
    'usr/lib/x86_64-linux-gnu/pulseaudio/libx.so.1',
    'opt/x/lib/libx.so.1',
    'usr/share/lib/libx.so.1',
    'libx.so.1',
    'usr/lib/libx.so.2',
    'usr/lib/libx.so.1/file',
  ])('R121 does not find one that the loader would not find, at /%s', (path) => {
    expect(providesIn(inventory(path)).hasLibrary('libx.so.1')).toBe(false);
  });

  it('follows the links of alternatives, and finds nothing behind one that leads nowhere', () => {
    const link = 'usr/lib/x86_64-linux-gnu/libblas.so.3 -> /etc/alternatives/libblas.so.3-x86_64-linux-gnu';
    const alternative = 'etc/alternatives/libblas.so.3-x86_64-linux-gnu -> /usr/lib/x86_64-linux-gnu/blas/libblas.so.3';
    const file = 'usr/lib/x86_64-linux-gnu/blas/libblas.so.3';
    expect(providesIn(inventory(link, alternative, file)).hasLibrary('libblas.so.3')).toBe(true);
    expect(providesIn(inventory(link, alternative)).hasLibrary('libblas.so.3')).toBe(false);
    expect(providesIn(inventory(link)).hasPath('/usr/lib/x86_64-linux-gnu/libblas.so.3')).toBe(false);
  });

  it('takes any place for a library of a base that has unusual settings of its loader', () => {
    const usual = ['libc.conf', 'x86_64-linux-gnu.conf', 'fakeroot-x86_64-linux-gnu.conf'];
    const files = ['opt/x/lib/libx.so.1', ...usual.map((name) => `etc/ld.so.conf.d/${name}`)];
    expect(providesIn(inventory(...files)).hasLibrary('libx.so.1')).toBe(false);
    expect(providesIn(inventory(...files, 'etc/ld.so.conf.d/x.conf')).hasLibrary('libx.so.1')).toBe(true);
  });

  it("takes directories of the base's own LD_LIBRARY_PATH", () => {
    const files = inventory('opt/x-1/libx.so.1', 'opt/x -> x-1');
    expect(providesIn(files, ['/opt/x/']).hasLibrary('libx.so.1')).toBe(true);
    expect(providesIn(files, ['/opt/y']).hasLibrary('libx.so.1')).toBe(false);
  });
});

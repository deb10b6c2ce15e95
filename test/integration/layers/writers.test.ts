import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readTree } from '../../../src/layers/tree.js';
import { attribute, type Writers } from '../../../src/layers/writers.js';
import { fileClock } from '../../../src/system/stamp.js';
import { withTempDir } from '../../../src/system/tempdir.js';

/** Who wrote what after the source and these steps. */
const writersAfter = (prepare: (root: string) => void, ...steps: readonly ((root: string) => void)[]) =>
  withTempDir('writers', undefined, async (root) => {
    prepare(root);
    let writers: Writers = attribute(new Map(), root, readTree(root), 0, false);
    for (const [index, step] of steps.entries()) {
      step(root);
      writers = attribute(writers, root, readTree(root), index + 1, index === steps.length - 1);
    }
    return Object.fromEntries([...writers].map(([path, { step }]) => [path, step]));
  });

const source = (root: string) => {
  writeFileSync(join(root, 'same'), 'bytes');
  writeFileSync(join(root, 'other'), 'bytes');
  mkdirSync(join(root, 'empty'));
  symlinkSync('same', join(root, 'link'));
};
const nothing = () => undefined;

describe('readTree', () => {
  it('gives paths in the order of their UTF-8 bytes, whatever a directory lists first', () =>
    withTempDir('tree', undefined, async (root) => {
      const names = ['a', 'a-b', 'a.b', 'a0', 'ab', 'z', '\u00e9', '\uffee', '\u{1f600}', 'A', ' '];
      for (const name of names) {
        mkdirSync(join(root, name));
        for (const inner of ['a', 'a-', 'a.']) mkdirSync(join(root, name, inner));
        for (const inner of ['a/x', 'x', '\u{1f600}', '\uffee']) writeFileSync(join(root, name, inner), '');
      }
      const paths = [...readTree(root).keys()];
      expect(paths).toHaveLength(1 + names.length * 8);
      const bytes = paths.map((path) => Buffer.from(path));
      expect(bytes).toEqual(bytes.toSorted(Buffer.compare));
    }));

  it('does not follow a root that is a link', () =>
    withTempDir('tree', undefined, async (root) => {
      symlinkSync('/etc', join(root, 'link'));
      expect([...readTree(join(root, 'link'))]).toEqual([
        ['', { type: 'symlink', mode: 0o777, size: 0, target: '/etc' }],
      ]);
    }));
});

describe('attribute', () => {
  it('sees each change, however soon it comes after the tree was looked at', () =>
    withTempDir('writers', undefined, async (directory) => {
      const root = join(directory, 'root');
      mkdirSync(root);
      for (let round = 0; round < 100; round += 1) {
        const file = join(root, String(round % 10));
        writeFileSync(file, `${round}:1`);
        const tree = readTree(root, () => fileClock(directory));
        const before = attribute(new Map(), root, tree, 0, false);
        writeFileSync(file, `${round}:2`);
        const after = attribute(
          before,
          root,
          readTree(root, () => fileClock(directory)),
          1,
          false,
        );
        expect(after.get(String(round % 10))?.step).toBe(1);
      }
    }));

  it('believes a stamp of a tick that is over, and reads the file again without one', () =>
    withTempDir('writers', undefined, async (directory) => {
      const root = join(directory, 'root');
      mkdirSync(root);
      writeFileSync(join(root, 'file'), 'bytes');
      const { ctimeNs } = statSync(join(root, 'file'), { bigint: true });
      const stampAt = (clock: bigint) => readTree(root, () => clock).get('file')?.stamp;
      expect([stampAt(ctimeNs), stampAt(ctimeNs - 1n), readTree(root).get('file')?.stamp]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(stampAt(ctimeNs + 1n)).toMatch(/^\d+:/);
    }));

  it('keeps the writer of a file that was written anew with the same bytes', async () => {
    const writers = await writersAfter(source, (root) => {
      rmSync(join(root, 'same'));
      writeFileSync(join(root, 'same'), 'bytes');
      writeFileSync(join(root, 'copy'), 'bytes');
      renameSync(join(root, 'copy'), join(root, 'other'));
    });
    expect(writers).toEqual({ '': 0, same: 0, other: 0, empty: 0, link: 0 });
  });

  it('gives a file to the step that changed its bytes, also to as many as before with the times of before', async () => {
    const writers = await writersAfter(
      (root) => {
        source(root);
        utimesSync(join(root, 'same'), 1000, 1000);
      },
      (root) => {
        writeFileSync(join(root, 'same'), 'BYTES');
        utimesSync(join(root, 'same'), 1000, 1000);
      },
      nothing,
    );
    expect(writers).toMatchObject({ same: 1, other: 0 });
  });

  it('never goes by times', async () => {
    const touched = await writersAfter(source, (root) => {
      for (const name of ['same', 'other', 'empty']) utimesSync(join(root, name), 5000, 5000);
    });
    expect(new Set(Object.values(touched))).toEqual(new Set([0]));
  });

  it('gives a path to the step that changed its mode, type or target', async () => {
    const writers = await writersAfter(source, (root) => {
      chmodSync(join(root, 'same'), 0o755);
      chmodSync(join(root, 'empty'), 0o700);
      rmSync(join(root, 'link'));
      symlinkSync('other', join(root, 'link'));
      rmSync(join(root, 'other'));
      mkdirSync(join(root, 'other'));
    });
    expect(writers).toEqual({ '': 0, same: 1, empty: 1, link: 1, other: 1 });
  });

  it('keeps a writer through steps that did nothing, and knows the file again later', async () => {
    const writers = await writersAfter(
      nothing,
      (root) => writeFileSync(join(root, 'made'), '1'),
      nothing,
      (root) => {
        rmSync(join(root, 'made'));
        writeFileSync(join(root, 'made'), '1');
        writeFileSync(join(root, 'last'), '1');
      },
    );
    expect(writers).toEqual({ '': 0, made: 1, last: 3 });
  });

  it('forgets what a step removed: who makes it again is its writer', async () => {
    const writers = await writersAfter(
      source,
      (root) => rmSync(join(root, 'same')),
      (root) => writeFileSync(join(root, 'same'), 'bytes'),
    );
    expect(writers).toMatchObject({ same: 2, other: 0 });
  });
});

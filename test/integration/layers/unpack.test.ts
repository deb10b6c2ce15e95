import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type LayerTar, unpackLayers } from '../../../src/layers/unpack.js';
import { removeTree } from '../../../src/system/remove.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { parseDiffId } from '../../../src/values/digest.js';
import { directory, file, layer, link, listing, type Part, special, symlink } from '../../support/layer-tar.js';

/** Unpacks below a directory in which a neighbour must survive. */
async function unpacked<T>(layers: readonly LayerTar[], look: (root: string) => T): Promise<T> {
  return await withTempDir('unpack', undefined, async (dir) => {
    const root = join(dir, 'root');
    mkdirSync(root);
    mkdirSync(join(dir, 'root-neighbour'));
    writeFileSync(join(dir, 'root-neighbour', 'precious'), 'untouched');
    try {
      await unpackLayers(layers, root);
      return look(root);
    } finally {
      expect(readdirSync(dir).sort()).toEqual(['root', 'root-neighbour']);
      expect(listing(join(dir, 'root-neighbour'))).toEqual(['precious=untouched']);
    }
  });
}

const merged = (...layers: readonly LayerTar[]) => unpacked(layers, (root) => listing(root));

describe('unpackLayers', () => {
  it('lets the later layer win', async () => {
    const below = await layer(directory('a'), file('a/x', '1'), file('a/y', '1'));
    const above = await layer(file('a/x', '2'));
    expect(await merged(below, above)).toEqual(['a/', 'a/x=2', 'a/y=1']);
  });

  it('makes directories that no layer names', async () => {
    expect(await merged(await layer(file('a/b/c', '1')))).toEqual(['a/', 'a/b/', 'a/b/c=1']);
  });

  it('keeps what a directory holds when a later layer has the directory again', async () => {
    const below = await layer(directory('a', 0o755), file('a/x', '1'));
    const above = await layer(directory('a', 0o700));
    await unpacked([below, above], (root) => {
      expect(listing(root)).toEqual(['a/', 'a/x=1']);
      expect(lstatSync(join(root, 'a')).mode & 0o7777).toBe(0o700);
    });
  });

  it.each([
    ['a file by a directory', [file('a', '1')], [directory('a'), file('a/x', '2')], ['a/', 'a/x=2']],
    ['a directory by a file', [directory('a'), file('a/x', '1')], [file('a', '2')], ['a=2']],
    [
      'a directory by a link',
      [directory('a'), file('a/x', '1'), directory('b')],
      [symlink('a', 'b')],
      ['a -> b', 'b/'],
    ],
    [
      'a link by a directory',
      [symlink('a', 'b'), directory('b')],
      [directory('a'), file('a/x', '2')],
      ['a/', 'a/x=2', 'b/'],
    ],
    ['a link by a file', [symlink('a', 'b'), file('b', '1')], [file('a', '2')], ['a=2', 'b=1']],
    ['a link by a link', [symlink('a', 'b')], [symlink('a', 'c')], ['a -> c']],
    ['a file by a hard link', [file('a', '1'), file('b', '2')], [link('a', 'b')], ['a=2', 'b=2']],
  ])('replaces %s', async (_, below, above, expected) => {
    expect(await merged(await layer(...below), await layer(...above))).toEqual(expected);
  });

  it('does not change the other names of a file that a later layer replaces', async () => {
    const below = await layer(file('a', '1'), link('b', 'a'));
    await unpacked([below], (root) => expect(lstatSync(join(root, 'a')).ino).toBe(lstatSync(join(root, 'b')).ino));
    expect(await merged(below, await layer(file('b', '2')))).toEqual(['a=1', 'b=2']);
  });

  it('makes a hard link to a file of a lower layer', async () => {
    expect(await merged(await layer(file('a', '1')), await layer(link('b', 'a')))).toEqual(['a=1', 'b=1']);
  });

  it('follows links of lower layers to directories, inside the root', async () => {
    const below = await layer(
      directory('usr'),
      directory('usr/lib'),
      symlink('lib', 'usr/lib'),
      symlink('lib64', '/lib'),
    );
    const above = await layer(file('lib/a', '1'), file('lib64/b', '2'), link('lib/c', 'lib64/b'));
    expect(await merged(below, above)).toEqual([
      'lib -> usr/lib',
      'lib64 -> /lib',
      'usr/',
      'usr/lib/',
      'usr/lib/a=1',
      'usr/lib/b=2',
      'usr/lib/c=2',
    ]);
  });

  it('keeps modes but no setuid and setgid bits, and absolute and dangling links as they are', async () => {
    const base = await layer(
      directory('tmp', 0o1777),
      directory('mail', 0o2775),
      directory('closed', 0o555),
      file('closed/x', '1', 0o400),
      file('su', '', 0o4755),
      file('none', '', 0o000),
      symlink('abs', '/nowhere/else'),
    );
    await unpacked([base], (root) => {
      const mode = (path: string) => lstatSync(join(root, path)).mode & 0o7777;
      expect(['tmp', 'mail', 'closed', 'closed/x', 'su', 'none'].map(mode)).toEqual([
        0o1777, 0o775, 0o555, 0o400, 0o755, 0o000,
      ]);
      expect(lstatSync(join(root, 'closed')).mtimeMs).toBe(315_532_801_000);
    });
  });

  it('FLT-16 does not depend on the umask', async () => {
    const base = await layer(directory('d', 0o777), file('d/x', '1', 0o666), file('invented/y', '2', 0o777));
    const modes = () =>
      unpacked([base], (root) =>
        ['d', 'd/x', 'invented', 'invented/y'].map((path) => lstatSync(join(root, path)).mode & 0o7777),
      );
    const before = process.umask(0o077);
    try {
      expect(await modes()).toEqual([0o777, 0o666, 0o755, 0o777]);
    } finally {
      process.umask(before);
    }
  });

  it('leaves devices and fifos out, with the hard links to them', async () => {
    const base = await layer(
      special('null', 'character-device'),
      special('sda', 'block-device'),
      special('p', 'fifo'),
      link('q', 'p'),
      file('a'),
    );
    expect(await merged(base)).toEqual(['a=']);
  });

  it('CMP-7 refuses a layer that is not what its digest says', async () => {
    const base = { ...(await layer(file('a', '1'))), diffId: parseDiffId(`sha256:${'0'.repeat(64)}`) };
    await expect(merged(base)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('stops when it is told to', async () => {
    await withTempDir('unpack', undefined, async (dir) => {
      const work = unpackLayers([await layer(file('a', '1'))], dir, AbortSignal.abort());
      await expect(work).rejects.toMatchObject({ code: 'INTERRUPTED' });
    });
  });
});

describe('whiteouts', () => {
  const base = () => layer(directory('d'), directory('d/sub'), file('d/sub/x', '1'), file('d/y', '1'), file('e', '1'));

  it.each([
    ['a file', [file('d/.wh.y')], ['d/', 'd/sub/', 'd/sub/x=1', 'e=1']],
    ['a file at the top', [file('.wh.e')], ['d/', 'd/sub/', 'd/sub/x=1', 'd/y=1']],
    ['a tree', [file('.wh.d')], ['e=1']],
    ['what is not there', [file('.wh.nothing'), file('no/where/.wh.x')], ['d/', 'd/sub/', 'd/sub/x=1', 'd/y=1', 'e=1']],
    ['all of a directory', [file('d/.wh..wh..opq')], ['d/', 'e=1']],
    ['everything', [file('.wh..wh..opq')], []],
  ])('remove %s of the lower layers', async (_, above, expected) => {
    expect(await merged(await base(), await layer(...above))).toEqual(expected);
  });

  it.each([
    ['a marker before', [file('d/.wh..wh..opq'), directory('d/sub'), file('d/sub/new', '2'), file('d/z', '2')]],
    ['a marker behind', [directory('d/sub'), file('d/sub/new', '2'), file('d/z', '2'), file('d/.wh..wh..opq')]],
    ['a deletion behind', [file('d/sub/new', '2'), file('d/z', '2'), file('d/.wh.y'), file('d/.wh.sub')]],
  ])('spare what the same layer has, with %s', async (_, above) => {
    expect(await merged(await base(), await layer(...above))).toEqual(['d/', 'd/sub/', 'd/sub/new=2', 'd/z=2', 'e=1']);
  });

  it('do not reach the layers above', async () => {
    expect(await merged(await base(), await layer(file('.wh.d')), await layer(file('d/y', '3')))).toEqual([
      'd/',
      'd/y=3',
      'e=1',
    ]);
  });

  it('apply through a link to a directory, inside the root', async () => {
    const below = await layer(
      directory('usr'),
      directory('usr/lib'),
      file('usr/lib/a', '1'),
      symlink('lib', 'usr/lib'),
    );
    expect(await merged(below, await layer(file('lib/.wh.a')))).toEqual(['lib -> usr/lib', 'usr/', 'usr/lib/']);
  });

  it('remove a link, not what it points to', async () => {
    const below = await layer(file('a', '1'), symlink('b', 'a'));
    expect(await merged(below, await layer(file('.wh.b')))).toEqual(['a=1']);
  });

  it('ignore what another tool left for itself', async () => {
    expect(await merged(await layer(file('.wh..wh.aufs'), file('.wh..wh.plnk/12.34'), file('a')))).toEqual(['a=']);
  });

  it.each(['.wh.', 'd/.wh..', 'd/.wh...', '.wh.d/x'])(
    'TAR-25 are refused when they make no sense: %s',
    async (path) => {
      await expect(merged(await base(), await layer(file(path)))).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    },
  );

  it.each([[[directory('.wh.d')]], [[symlink('.wh.d', 'e')]]])(
    'TAR-25 are refused when they are not files',
    async ([entry]) => {
      await expect(merged(await base(), await layer(entry as ReturnType<typeof directory>))).rejects.toMatchObject({
        code: 'ARCHIVE_INVALID',
      });
    },
  );
});

describe('a hostile layer', () => {
  const outside = '../root-neighbour';
  const refused = (...parts: readonly Part[]) =>
    layer(...parts).then(async (hostile) => expect(merged(hostile)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' }));

  it.each(['../root-neighbour/precious', 'a/../../root-neighbour/precious', '..', 'a/..'])(
    'TAR-1 cannot be named %s',
    async (path) => {
      await refused(file(path, 'pwned'));
    },
  );

  it('TAR-2 has absolute names below the root', async () => {
    expect(await merged(await layer(file('/etc/pack-build-test', '1')))).toEqual(['etc/', 'etc/pack-build-test=1']);
    expect(existsSync('/etc/pack-build-test')).toBe(false);
  });

  it('TAR-3 cannot write through a link that leads out', async () => {
    expect(await merged(await layer(symlink('d', outside), file('d/precious', 'pwned')))).toEqual([
      'd -> ../root-neighbour',
      'root-neighbour/',
      'root-neighbour/precious=pwned',
    ]);
    await unpacked([await layer(symlink('d', '/tmp'), file('d/pack-build-test', 'x'))], (root) => {
      expect(readFileSync(join(root, 'tmp/pack-build-test'), 'utf8')).toBe('x');
      expect(existsSync('/tmp/pack-build-test')).toBe(false);
    });
  });

  it('TAR-3 cannot write through a link with the name of the file', async () => {
    expect(await merged(await layer(symlink('precious', `${outside}/precious`), file('precious', 'pwned')))).toEqual([
      'precious=pwned',
    ]);
  });

  it('TAR-4 cannot replace the root', async () => {
    await refused(symlink('.', '/'));
    await refused(symlink('./', outside));
    await refused(file('/', 'x'));
  });

  it('TAR-6 cannot make a hard link to what is outside', async () => {
    await refused(link('x', `${outside}/precious`));
    await refused(link('x', '/etc/hostname'));
    await refused(symlink('up', '..'), link('x', 'up/root-neighbour/precious'));
    await refused(link('x', 'later'), file('later'));
    await refused(file('x'), link('x', 'x'));
    await refused(directory('d'), link('x', 'd'));
  });

  it('TAR-6 cannot climb out by a chain of links', async () => {
    const climbing = [
      directory('a'),
      directory('a/b'),
      symlink('a/b/up', '../..'),
      symlink('a/esc', 'b/up/../..'),
      file('a/esc/y', '1'),
    ];
    await unpacked([await layer(...climbing)], (root) => expect(readFileSync(join(root, 'y'), 'utf8')).toBe('1'));
  });

  it('TAR-6 gives modes to no directory behind a link', async () => {
    const moved = [directory('a'), directory('a/root-neighbour', 0o000), symlink('a', '..')];
    await unpacked([await layer(...moved)], (root) => {
      expect(lstatSync(join(root, '../root-neighbour')).mode & 0o777).not.toBe(0);
    });
  });

  it('cannot go in circles', async () => {
    await refused(symlink('a', 'b'), symlink('b', 'a'), file('a/x'));
    await refused(file('f'), file('f/x'));
  });

  it('deletes nothing outside', async () => {
    await merged(await layer(symlink('d', outside)), await layer(file('d/.wh.precious'), file('d/.wh..wh..opq')));
  });

  it('can be removed by its owner, whatever its modes', async () => {
    await withTempDir('unpack', undefined, async (dir) => {
      const root = join(dir, 'root');
      mkdirSync(root);
      await unpackLayers(
        [await layer(directory('a', 0o000), directory('a/b', 0o000), file('a/b/c', 'x', 0o000))],
        root,
      );
      await removeTree(root);
      expect(existsSync(root)).toBe(false);
    });
  });
});

import { execFile } from 'node:child_process';
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { entryBytes } from '../../../src/layers/entry-bytes.js';
import { openLayer } from '../../../src/layers/open-layer.js';
import { packLayer } from '../../../src/layers/pack.js';
import { readTree } from '../../../src/layers/tree.js';
import { treeEntries } from '../../../src/layers/tree-entries.js';
import type { Compression } from '../../../src/values/compression.js';
import { buildpack, useProduct } from '../../support/product.js';

const product = useProduct();
const leaving = (script: string) => [buildpack({ compile: `cd "$1"\n${script}` })];

describe('an odd file that a build leaves behind', () => {
  it.each([
    ['of 255 bytes', 'n'.repeat(255)],
    ['with spaces at its end', 'name  '],
    ['with a line break', 'a\nb'],
    ['with a backslash', 'a\\b'],
    ['that is not ASCII', 'näme ☃'],
  ])('keeps a name %s', async (_, name) => {
    const built = await product.build({ buildpacks: leaving(`printf x > '${name}'`) });
    expect(built.text(`app/${name}`)).toBe('x');
  });

  it.each([
    ['TAR-27 means a deletion', '.wh.x', '/app/.wh.x cannot be part of an image'],
    ['TAR-27 means an empty directory', 'd/.wh..wh..opq', '/app/d/.wh..wh..opq cannot be part of an image'],
    ['is not UTF-8', 'bad\\377', '"bad\ufffd" in the app has a name that is not UTF-8'],
  ])('is refused if its name %s', async (_, name, message) => {
    const { error, wroteNothing } = await product.fail({
      buildpacks: leaving(`mkdir d; printf x > "$(printf '${name}')"`),
    });
    expect([error.code, error.message, wroteNothing]).toEqual(['LAYER_FILE_REFUSED', message, true]);
  });

  it('has all its bytes in each of its names', async () => {
    const built = await product.build({
      files: { 'kept.txt': 'of the source\n' },
      buildpacks: leaving('ln kept.txt twin.txt; mkdir .heroku; ln kept.txt .heroku/third.txt'),
    });
    const names = ['app/kept.txt', 'app/twin.txt', 'app/.heroku/third.txt'];
    expect(built.paths).toEqual(expect.arrayContaining(names));
    expect(names.map(built.text)).toEqual(names.map(() => 'of the source\n'));
  });

  it('BP-12 has the layer of one without holes if it is sparse', async () => {
    const home = await product.directory();
    mkdirSync(join(home, 'app'));
    writeFileSync(join(home, 'app/f'), Buffer.alloc(8 * 1024 * 1024));
    const solid = await packed(home);
    truncateSync(join(home, 'app/f'), 0);
    truncateSync(join(home, 'app/f'), 8 * 1024 * 1024);
    expect(statSync(join(home, 'app/f')).blocks).toBe(0);
    expect(await packed(home)).toEqual(solid);
  });

  it.each(['gzip:9', 'zstd:3'] as const)(
    'can be read again though its layer is a thousand times smaller (%s)',
    async (compression) => {
      const home = await product.directory();
      mkdirSync(join(home, 'app'));
      writeFileSync(join(home, 'app/f'), '');
      truncateSync(join(home, 'app/f'), 64 * 1024 * 1024);
      const { descriptor, diffId, size } = await packed(home, compression);
      let read = 0;
      for await (const chunk of openLayer({ descriptor, diffId }, directoryStore(join(home, 'blobs'))).tar())
        read += chunk.byteLength;
      expect(read).toBe(size);
    },
  );

  it('loses its extended attributes', async () => {
    const home = await product.directory();
    mkdirSync(join(home, 'app'));
    writeFileSync(join(home, 'app/f'), 'bytes');
    const without = await packed(home);
    const script = `import os; os.setxattr(${JSON.stringify(join(home, 'app/f'))}, 'user.note', b'x')`;
    await promisify(execFile)('python3', ['-c', script]);
    expect(await packed(home)).toEqual(without);
  });

  it('is whole if it has more than 4 GiB', async () => {
    const home = await product.directory();
    const size = 2 ** 32 + 5;
    const from = join(home, 'large');
    writeFileSync(from, '');
    truncateSync(from, size);
    const entry = { path: 'app/large', type: 'file', mode: 0o644, uid: 0, gid: 0, from, size } as const;
    const tar = execFile('tar', ['--list', '--verbose']);
    const listed = text(tar.stdout as Readable);
    await pipeline(entryBytes([entry]), tar.stdin as Writable);
    expect(await listed).toMatch(new RegExp(`^-rw-r--r-- 0/0 +${size} 1980-01-01 \\d\\d:\\d\\d app/large\n$`));
  }, 60_000);
});

/** What the tree at `app` becomes. */
async function packed(home: string, compression?: Compression) {
  const entries = treeEntries(readTree(join(home, 'app')), { root: join(home, 'app'), at: 'app', uid: 1, gid: 1 });
  return packLayer(entries, { store: directoryStore(join(home, 'blobs')), compression });
}

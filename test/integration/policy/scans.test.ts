import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobReader } from '../../../src/blobs/store.js';
import { keepScan, readScan } from '../../../src/layers/layer-scan.js';
import { packLayer } from '../../../src/layers/pack.js';
import { readTree } from '../../../src/layers/tree.js';
import { treeEntries } from '../../../src/layers/tree-entries.js';
import { layersOf } from '../../../src/oci/image.js';
import { describeViolation } from '../../../src/steps/check-policy.js';
import { madeImage, tarWithAttributes, violationsOf } from '../../support/checked-image.js';
import { directory, file, link, symlink } from '../../support/layer-tar.js';
import { inChunks } from '../../support/tar.js';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pack-build-scans-'));
});
afterAll(async () => rm(home, { recursive: true }));

/** A store that must not be asked. */
const NOBODY: BlobReader = {
  has: () => Promise.reject(new Error('asked')),
  read: () => Promise.reject(new Error('asked')),
  stream: () => {
    throw new Error('asked');
  },
};

async function scanned(name: string) {
  const attributed = { part: file('app/c', 'x'), attributes: ['security.capability'] };
  const tar = await tarWithAttributes([attributed, { part: link('app/d', 'app/c'), attributes: [] }]);
  const { image, store } = await madeImage({ layers: [[directory('app'), symlink('app/a', 'b')], tar] });
  return { layers: layersOf(image), store, directory: join(home, name) };
}

describe('readScan', () => {
  it('reads a layer once, and then what was kept of it', async () => {
    const { layers, store, directory } = await scanned('once');
    for (const layer of layers) {
      const first = await readScan({ directory, layer, blobs: store });
      expect(await readScan({ directory, layer, blobs: NOBODY })).toEqual(first);
    }
    const [, layer] = layers;
    expect((await readScan({ directory, layer: layer as (typeof layers)[0], blobs: NOBODY })).entries).toEqual([
      { path: 'app/c', type: 'file', mode: 0o644, size: 1, xattrs: ['security.capability'] },
      { path: 'app/d', type: 'link', mode: 0o644, size: 0, link: 'app/c' },
    ]);
  });

  it('FLT-8 makes a scan anew that was damaged, cut off or emptied', async () => {
    const { layers, store, directory } = await scanned('damaged');
    const [layer] = layers as [(typeof layers)[0]];
    const whole = await readScan({ directory, layer, blobs: store });
    const [name = ''] = await readdir(directory);
    const kept = await readFile(join(directory, name), 'utf8');
    for (const text of [
      '',
      '\n',
      kept.slice(0, -1),
      kept.replace('app', 'App'),
      `${kept} `,
      kept.split('\n')[1] ?? '',
    ]) {
      await writeFile(join(directory, name), text);
      expect(await readScan({ directory, layer, blobs: store })).toEqual(whole);
    }
  });
});

describe('keepScan', () => {
  it('keeps of entries what reading their layer tells, without reading a file', async () => {
    const tree = join(home, 'tree');
    await mkdir(join(tree, 'dir'), { recursive: true });
    await writeFile(join(tree, 'dir/file'), 'x'.repeat(1000), { mode: 0o755 });
    await writeFile(join(tree, 'dir.txt'), '');
    const { symlink: makeLink } = await import('node:fs/promises');
    await makeLink('dir/file', join(tree, 'link'));
    const entries = treeEntries(readTree(tree), { root: tree, at: 'app', uid: 1000, gid: 1000 });
    const store = memoryStore();
    const packed = await packLayer(entries, { store });
    await rm(tree, { recursive: true });
    await keepScan(join(home, 'kept'), entries, packed);
    const kept = await readScan({ directory: join(home, 'kept'), layer: packed, blobs: NOBODY });
    expect(kept).toEqual(await readScan({ directory: join(home, 'read'), layer: packed, blobs: store }));
    expect(kept.entries.map(({ path }) => path).sort()).toEqual([
      'app',
      'app/dir',
      'app/dir.txt',
      'app/dir/file',
      'app/link',
    ]);
  });
});

const PYTHON = `
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], 'w', format=getattr(tarfile, sys.argv[2]))
def add(name, size=0, **more):
    info = tarfile.TarInfo(name)
    info.size = size
    for key, value in more.items(): setattr(info, key, value)
    tar.addfile(info, io.BytesIO(b'x' * size))
add('a', 513)
long = 'long/' + 'x' * 90 + '/' + 'y' * 60
add(long, 3000, pax_headers={'SCHILY.xattr.security.capability': 'v'})
add('dir', type=tarfile.DIRTYPE)
add('link', type=tarfile.SYMTYPE, linkname='z' * (90 if sys.argv[2] == 'USTAR_FORMAT' else 180))
add('z', 1)
tar.close()
`;

describe('the reader of layers', () => {
  it('sees the attributes of each entry, whatever the chunks', async () => {
    const name = fc.stringMatching(/^[a-z]{1,120}$/);
    const entry = fc.record({
      part: fc.tuple(name, fc.nat(2000)).map(([path, size]) => file(path, 'x'.repeat(size))),
      attributes: fc.uniqueArray(fc.constantFrom('user.a', 'security.capability', 'trusted.x'), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 6, minLength: 1 }),
        fc.integer({ min: 1, max: 1500 }),
        async (entries, size) => {
          const tar = await tarWithAttributes(entries);
          const found: (readonly string[])[] = [];
          for await (const { attributes } of readTar(inChunks(tar, size), LAYER)) found.push(attributes ?? []);
          expect(found).toEqual(entries.map(({ attributes }) => [...attributes].sort()));
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['GNU_FORMAT', 'PAX_FORMAT', 'USTAR_FORMAT'])(
    'sees the entries of archives that Python writes (%s)',
    async (format) => {
      const archive = join(home, `${format}.tar`);
      execFileSync('python3', ['-c', PYTHON, archive, format]);
      const found: (readonly [string, readonly string[]])[] = [];
      for await (const { entry, attributes } of readTar(inChunks(await readFile(archive), 700), LAYER))
        found.push([entry.path.slice(0, 6), attributes ?? []]);
      const xattrs = format === 'PAX_FORMAT' ? ['security.capability'] : [];
      expect(found).toEqual([
        ['a', []],
        ['long/x', xattrs],
        ['dir', []],
        ['link', []],
        ['z', []],
      ]);
    },
  );
});

describe('hostile images', () => {
  it('DOC-15 print no control characters of theirs', async () => {
    const bad = 'x\u001b]0;pwned\u0007\n\u202e\u009b';
    const violations = [
      ...(await violationsOf(
        { run: { Labels: { [bad]: bad }, Env: [`${bad}=1`], User: bad } },
        {
          labels: {},
          env: { denyNames: ['x*'] },
          users: { forbidRoot: true },
        },
      )),
      ...(await violationsOf({ layers: [[file(bad.replace('\n', ''), '', 0o4755)]] }, { setuid: 'forbid' })),
    ];
    expect(violations.map(({ code }) => code)).toEqual(['RST_ENV_NAME', 'RST_LABEL', 'RST_USER_INVALID', 'RST_SETUID']);
    for (const violation of violations) {
      expect(describeViolation(violation)).not.toMatch(/\p{Cc}|\p{Cf}/u);
      expect(describeViolation(violation)).toContain('\\u001b]0;pwned\\u0007');
    }
  });

  it('RST-1 are told of members of the config that are of another kind', async () => {
    const run = { Healthcheck: 7, Entrypoint: undefined };
    const policy = { healthcheck: 'forbid', entrypoint: ['/a'] } as const;
    const found = await violationsOf({ run }, policy);
    expect(found.map(({ code, got }) => [code, got])).toEqual([
      ['RST_ENTRYPOINT', ''],
      ['RST_HEALTHCHECK', true],
    ]);
  });

  it('RST-3 with many links and deletions are checked in no time', async () => {
    const links = Array.from({ length: 4000 }, (_, n) => symlink(`app/l${n}`, `l${n + 1}`));
    const below = Array.from({ length: 4000 }, (_, n) => file(`app/l${n}/x`));
    const gone = Array.from({ length: 4000 }, (_, n) => file(`app/.wh.l${n}`));
    const begun = performance.now();
    await violationsOf({ layers: [links, below, gone] }, { writablePrefixes: ['/app'], setuid: 'forbid' });
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

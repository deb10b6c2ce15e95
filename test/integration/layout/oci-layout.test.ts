import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobReader, BlobStore } from '../../../src/blobs/store.js';
import { layoutSource, listLayout } from '../../../src/layout/layout-source.js';
import { layoutTarget } from '../../../src/layout/layout-target.js';
import { digestOfImage, type Image } from '../../../src/oci/image.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import type { Descriptor } from '../../../src/values/descriptor.js';
import { type Digest, digestOf, hexOf } from '../../../src/values/digest.js';
import { fail, type Json } from '../../../src/values/error.js';
import { storedImage } from '../../support/image.js';
import { listing } from '../../support/layer-tar.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

interface Given {
  readonly dir: string;
  readonly store: BlobStore;
  readonly one: Image;
  readonly two: Image;
  readonly put: (image: Image, tag?: string, blobs?: BlobReader) => Promise<string>;
  readonly find: (wanted?: { tag?: string; digest?: Digest }) => Promise<Digest>;
}

const inLayout = (work: (given: Given) => Promise<void>) =>
  withTempDir('layout', undefined, async (temp) => {
    const dir = join(temp, 'layout');
    const store = memoryStore();
    const [one, two] = [await storedImage(store, ['shared', '1']), await storedImage(store, ['shared', '2'])];
    const tagged = (tag?: string) => (tag === undefined ? {} : { tag });
    await work({
      dir,
      store,
      one,
      two,
      put: (image, tag, blobs = store) => layoutTarget({ kind: 'oci', path: dir, ...tagged(tag) }).put(image, blobs),
      find: async (wanted = {}) => {
        const found = await layoutSource({ kind: 'oci', path: dir, ...wanted }).find(amd64);
        return digestOfImage(found.image);
      },
    });
  });

/** A store that breaks when this blob is asked for. */
function brokenAt(store: BlobStore, broken: Descriptor | undefined): BlobReader {
  return {
    ...store,
    async *stream(descriptor) {
      if (descriptor.digest === broken?.digest) throw fail('BLOB_NOT_FOUND', { what: 'broken' });
      yield* store.stream(descriptor);
    },
  };
}

function blobFile(dir: string, digest: Digest): string {
  return join(dir, 'blobs/sha256', hexOf(digest));
}

function addBlob(dir: string, value: Json): { readonly digest: Digest; readonly size: number } {
  const bytes = Buffer.from(JSON.stringify(value));
  writeFileSync(blobFile(dir, digestOf(bytes)), bytes);
  return { digest: digestOf(bytes), size: bytes.byteLength };
}

function replaceIndex(dir: string, manifests: readonly object[]): void {
  writeFileSync(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

describe('layoutTarget', () => {
  it('makes a new layout with nothing in it but the image', () =>
    inLayout(async ({ dir, one, put, find }) => {
      expect(await put(one, 'v1')).toBe(`oci:${dir}@${digestOfImage(one)}`);
      expect(readdirSync(join(dir, '..'))).toEqual(['layout']);
      expect(readdirSync(dir).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
      expect(readdirSync(join(dir, 'blobs/sha256'))).toHaveLength(4);
      expect(readFileSync(join(dir, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}');
      expect(await find({ tag: 'v1' })).toBe(digestOfImage(one));
      expect(await find()).toBe(digestOfImage(one));
    }));

  it('calls an image by the tag that was asked for, also when it has others and a digest names it', () =>
    inLayout(async ({ dir, one, two, put }) => {
      const nameOf = async (tag?: string) => {
        const wanted = {
          kind: 'oci' as const,
          path: dir,
          digest: digestOfImage(one),
          ...(tag === undefined ? {} : { tag }),
        };
        return (await layoutSource(wanted).find(amd64)).name;
      };
      for (const tag of ['a', 'b']) await put(one, tag);
      expect([await nameOf('a'), await nameOf('b'), await nameOf()]).toEqual(['a', 'b', 'a']);
      await put(two, 'b');
      expect(await nameOf('b')).toBe('b');
    }));

  it('makes a layout of an empty directory', () =>
    inLayout(async ({ dir, one, put, find }) => {
      mkdirSync(dir);
      await put(one, 'v1');
      expect(await find()).toBe(digestOfImage(one));
    }));

  it('sees beforehand what it could not write to, and makes nothing', () =>
    inLayout(async ({ dir, one, put }) => {
      const temp = join(dir, '..');
      const check = (path: string) => layoutTarget({ kind: 'oci', path: join(temp, path) }).check();
      await put(one, 'v1');
      mkdirSync(join(temp, 'empty'));
      mkdirSync(join(temp, 'other'));
      writeFileSync(join(temp, 'other/file'), '');
      const before = listing(temp);
      for (const path of ['layout', 'empty', 'none', 'deep/er/none']) await check(path);
      for (const path of ['other', 'other/file'])
        await expect(check(path)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
      await expect(check('other/file/x')).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(listing(temp)).toEqual(before);
    }));

  it('adds a tag and keeps the others', () =>
    inLayout(async ({ one, two, put, find }) => {
      await put(one, 'v1');
      await put(two, 'v2');
      expect([await find({ tag: 'v1' }), await find({ tag: 'v2' })]).toEqual([one, two].map(digestOfImage));
    }));

  it('moves a tag, and keeps the image that had it for those who know its digest', () =>
    inLayout(async ({ dir, one, two, put, find }) => {
      await put(one, 'v1');
      await put(two, 'v1');
      expect(await find({ tag: 'v1' })).toBe(digestOfImage(two));
      expect(await listLayout(dir)).toHaveLength(1);
      expect(await find({ digest: digestOfImage(one) })).toBe(digestOfImage(one));
    }));

  it('changes nothing when it writes the same again', () =>
    inLayout(async ({ dir, one, put }) => {
      await put(one, 'v1');
      const before = listing(dir);
      await put(one, 'v1');
      expect(listing(dir)).toEqual(before);
    }));

  it('keeps entries that it knows nothing of', () =>
    inLayout(async ({ dir, one, two, put }) => {
      await put(one, 'v1');
      const attestation = {
        mediaType: 'application/x',
        ...addBlob(dir, {}),
        platform: { os: 'unknown', architecture: 'unknown' },
      };
      replaceIndex(dir, [
        ...(await listLayout(dir)),
        { ...attestation, annotations: { 'org.opencontainers.image.ref.name': 'x' } },
      ]);
      await put(two, 'v2');
      expect((await listLayout(dir)).map(({ mediaType }) => mediaType)).toContain('application/x');
    }));

  it('tags an image latest that no tag is given for, in a new layout and in one that is there', () =>
    inLayout(async ({ dir, one, two, put, find }) => {
      const tags = async () =>
        (await listLayout(dir)).map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']);
      await put(one);
      expect(await tags()).toEqual(['latest']);
      await put(one, 'v1');
      await put(two);
      expect(await tags()).toEqual(['v1', 'latest']);
      expect([await find({ tag: 'latest' }), await find()]).toEqual([two, two].map(digestOfImage));
    }));

  it('leaves no new layout when it fails in the middle, nor a directory above', () =>
    inLayout(async ({ dir, store, one }) => {
      const [, second] = one.manifest.value.layers;
      const target = layoutTarget({ kind: 'oci', path: join(dir, 'deep/er'), tag: 'v1' });
      await expect(target.put(one, brokenAt(store, second))).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      expect(existsSync(dir)).toBe(false);
      expect(readdirSync(join(dir, '..'))).toEqual([]);
    }));

  it('leaves a layout as it was when it fails in the middle, blobs included', () =>
    inLayout(async ({ dir, store, one, two, put }) => {
      await put(one, 'v1');
      const before = listing(dir);
      const three = await storedImage(store, ['shared', 'new', '3']);
      const [, , third] = three.manifest.value.layers;
      await expect(put(three, 'v1', brokenAt(store, third))).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      expect(listing(dir)).toEqual(before);
      await put(two, 'v2');
    }));

  it('leaves a layout as it was when the work is aborted', () =>
    inLayout(async ({ dir, store, one, two, put }) => {
      await put(one, 'v1');
      const before = listing(dir);
      const stop = new AbortController();
      const stopping: BlobReader = {
        ...store,
        async *stream(descriptor) {
          stop.abort(new Error('enough'));
          yield* store.stream(descriptor);
        },
      };
      const target = layoutTarget({ kind: 'oci', path: dir, tag: 'v1' });
      await expect(target.put(two, stopping, stop.signal)).rejects.toThrow('enough');
      expect(listing(dir)).toEqual(before);
    }));

  it('FLT-3 takes 20 writers of 5 tags each at once, in a layout that is not there yet', () =>
    inLayout(async ({ dir, store, put, find }) => {
      const tags = Array.from({ length: 20 }, (_, n) => n).flatMap((n) => [0, 1, 2, 3, 4].map((m) => `t${n}-${m}`));
      const images = new Map<string, Image>();
      for (const tag of tags) images.set(tag, await storedImage(store, ['shared', tag]));
      await Promise.all([...images].map(([tag, image]) => put(image, tag)));
      expect(await listLayout(dir)).toHaveLength(100);
      for (const [tag, image] of images) expect(await find({ tag })).toBe(digestOfImage(image));
      expect(readdirSync(dir).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
      expect(readdirSync(join(dir, '..'))).toEqual(['layout']);
    }));

  it.each<readonly [string, (dir: string) => void]>([
    ['a directory of other files', (dir) => mkdirSync(join(dir, 'mine'), { recursive: true })],
    ['a file', (dir) => writeFileSync(dir, 'mine')],
  ])('refuses %s and leaves it alone', (_, prepare) =>
    inLayout(async ({ dir, one, put }) => {
      prepare(dir);
      await expect(put(one, 'v1')).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
      expect(lstatSync(dir).isFile() ? readFileSync(dir, 'utf8') : readdirSync(dir)).toEqual(
        lstatSync(dir).isFile() ? 'mine' : ['mine'],
      );
    }),
  );
});

describe('layoutSource', () => {
  it('tells which tags there are when the one asked for is not', () =>
    inLayout(async ({ dir, one, two, put, find }) => {
      await put(one, 'v1');
      await put(two, 'v2');
      await expect(find({ tag: 'v3' })).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
        fix: `name one of its tags: oci:${dir}:v1, oci:${dir}:v2`,
      });
      await expect(find()).rejects.toMatchObject({
        why: 'it has 2 images, none was named, and none is called latest',
      });
    }));

  it('takes the one image of a layout, whatever number of tags it has', () =>
    inLayout(async ({ dir, one, put, find }) => {
      await put(one, 'v1');
      const { platform: _, ...entry } = (await listLayout(dir))[0] as Descriptor;
      replaceIndex(dir, [entry, { ...entry, annotations: { 'org.opencontainers.image.ref.name': 'v2' } }]);
      expect(await find()).toBe(digestOfImage(one));
      expect(await find({ digest: digestOfImage(one) })).toBe(digestOfImage(one));
    }));

  it('finds an image of the platform in an index within an index, and says which index', () =>
    inLayout(async ({ dir, store, one, put }) => {
      await put(one, 'v1');
      const arm = await storedImage(store, ['shared', 'arm'], 'arm64');
      await put(arm, 'arm');
      const children = (await listLayout(dir)).map(({ annotations: _, ...entry }) => entry);
      const inner = addBlob(dir, { schemaVersion: 2, manifests: children } as unknown as Json);
      const outer = addBlob(dir, {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          { mediaType: OCI_INDEX, ...inner, platform: arm64 },
          {
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            ...inner,
            platform: { os: 'unknown', architecture: 'unknown' },
          },
        ],
      });
      replaceIndex(dir, [
        { mediaType: OCI_INDEX, ...outer, annotations: { 'org.opencontainers.image.ref.name': 'all' } },
      ]);
      const found = await layoutSource({ kind: 'oci', path: dir, tag: 'all' }).find(arm64);
      expect([digestOfImage(found.image), found.index, found.name]).toEqual([digestOfImage(arm), outer.digest, 'all']);
      // An index that does not say what it is, by its digest alone.
      const alone = await layoutSource({ kind: 'oci', path: dir, digest: inner.digest }).find(amd64);
      expect([digestOfImage(alone.image), alone.index]).toEqual([digestOfImage(one), inner.digest]);
      await expect(
        layoutSource({ kind: 'oci', path: dir, tag: 'all' }).find({ os: 'linux', architecture: 's390x' }),
      ).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND', why: 'it has images for linux/arm64, unknown/unknown' });
    }));

  it('follows no index that is nested without end', () =>
    inLayout(async ({ dir, one, put, find }) => {
      await put(one, 'v1');
      let inner: object = (await listLayout(dir))[0] as Descriptor;
      for (let depth = 0; depth < 6; depth++) {
        inner = { mediaType: OCI_INDEX, ...addBlob(dir, { schemaVersion: 2, manifests: [inner] } as unknown as Json) };
      }
      replaceIndex(dir, [inner]);
      await expect(find()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    }));

  it.each<readonly [string, string, (dir: string, digest: Digest) => void]>([
    ['the index is a link', 'LAYOUT_INVALID', (dir) => moveAndLink(join(dir, 'index.json'))],
    ['oci-layout is a link', 'LAYOUT_INVALID', (dir) => moveAndLink(join(dir, 'oci-layout'))],
    ['a blob is a link', 'STORE_FAILED', (dir, digest) => moveAndLink(blobFile(dir, digest))],
    [
      'a blob is a directory',
      'STORE_FAILED',
      (dir, digest) => {
        rmSync(blobFile(dir, digest));
        mkdirSync(blobFile(dir, digest));
      },
    ],
    [
      'a blob holds other bytes',
      'DIGEST_MISMATCH',
      (dir, digest) => {
        const size = readFileSync(blobFile(dir, digest)).byteLength;
        rmSync(blobFile(dir, digest));
        writeFileSync(blobFile(dir, digest), Buffer.alloc(size, '{'));
      },
    ],
    [
      'the version is another',
      'LAYOUT_INVALID',
      (dir) => writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}'),
    ],
    ['the index is no JSON', 'LAYOUT_INVALID', (dir) => writeFileSync(join(dir, 'index.json'), '{')],
    [
      'the index is huge',
      'LAYOUT_INVALID',
      (dir) => writeFileSync(join(dir, 'index.json'), Buffer.alloc(5 << 20, ' ')),
    ],
    [
      'the index claims absurd sizes',
      'DIGEST_MISMATCH',
      (dir, digest) =>
        replaceIndex(dir, [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 3 << 20 }]),
    ],
    ['there is no index', 'LAYOUT_INVALID', (dir) => rmSync(join(dir, 'index.json'))],
    ['there is no directory', 'IMAGE_NOT_FOUND', (dir) => rmSync(dir, { recursive: true })],
  ])('DOC-12 refuses a layout of which %s', (_, code, change) =>
    inLayout(async ({ dir, one, put, find }) => {
      await put(one, 'v1');
      change(dir, digestOfImage(one));
      await expect(find()).rejects.toMatchObject({ code });
    }),
  );

  it('DOC-12 follows no link to a manifest that is named by its digest', () =>
    inLayout(async ({ dir, one, two, put, find }) => {
      await put(one, 'v1');
      await put(two, 'v1');
      moveAndLink(blobFile(dir, digestOfImage(one)));
      await expect(find({ digest: digestOfImage(one) })).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    }));
});

function moveAndLink(file: string): void {
  const elsewhere = join(file, '..', `moved-${digestOf(Buffer.from(file)).slice(-8)}`);
  renameSync(file, elsewhere);
  symlinkSync(elsewhere, file);
}

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { writeTar } from '../../../src/archive/tar-write.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { BlobReader, BlobStore } from '../../../src/blobs/store.js';
import { openSource, openTarget } from '../../../src/layout/places.js';
import { digestOfImage, type Image, layersOf } from '../../../src/oci/image.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { type Digest, digestOf, hexOf } from '../../../src/values/digest.js';
import { fail, type Json } from '../../../src/values/error.js';
import { parsePlace } from '../../../src/values/place.js';
import { imageOf } from '../../support/arbitrary.js';
import { layerNo, storedImage } from '../../support/image.js';
import { directory, file, listing, type Part, symlink } from '../../support/layer-tar.js';
import { bytesOf, inChunks, readAll } from '../../support/tar.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const inTemp = (work: (dir: string) => Promise<void>) => withTempDir('archives', undefined, work);

async function tarOf(text: string): Promise<Buffer> {
  return bytesOf(writeTar([file('f', text)]));
}

/** An image whose layers are tars of one file each. */
async function imageIn(store: BlobStore, ...texts: readonly string[]): Promise<Image> {
  const tars = await Promise.all(texts.map(tarOf));
  return storedImage(
    store,
    tars.map((tar) => tar.toString('latin1')),
  );
}

async function read(text: string, store: BlobStore = memoryStore()) {
  return openSource(parsePlace(text), store).find(amd64);
}

async function namesIn(path: string): Promise<readonly string[]> {
  return (await readAll(readTar(inChunks(readFileSync(path)), LAYER))).map(({ entry }) => entry.path);
}

async function archive(path: string, ...parts: readonly Part[]): Promise<string> {
  writeFileSync(path, await bytesOf(writeTar(parts)));
  return path;
}

const json = (path: string, value: Json): Part => file(path, JSON.stringify(value));

/** A config with these layers. */
function configOf(...tars: readonly Buffer[]): string {
  return JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
  });
}

function binary(path: string, bytes: Buffer): Part {
  return [{ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: bytes.byteLength }, bytes];
}

describe.each(['oci-archive', 'docker-archive'])('%s', (kind) => {
  it('gives back the image that was written: its config, its diff ids and its bytes', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one', 'two', 'one');
      const reference = await openTarget(parsePlace(`${kind}:${dir}/deep/er/a.tar:shop`)).put(image, store);
      const found = await read(`${kind}:${dir}/deep/er/a.tar:shop`);
      expect(found.image.config.bytes).toEqual(image.config.bytes);
      expect(layersOf(found.image).map(({ diffId }) => diffId)).toEqual(layersOf(image).map(({ diffId }) => diffId));
      for (const { descriptor } of layersOf(found.image)) await bytesOf(found.blobs.stream(descriptor));
      const named = kind === 'oci-archive' ? digestOfImage(image) : image.config.descriptor.digest;
      expect(reference).toBe(`${kind}:${dir}/deep/er/a.tar@${named}`);
    }));

  it('writes the same bytes for the same image', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one', 'two');
      for (const name of ['a', 'b']) await openTarget(parsePlace(`${kind}:${dir}/${name}:shop`)).put(image, store);
      expect(readFileSync(join(dir, 'a')).equals(readFileSync(join(dir, 'b')))).toBe(true);
    }));

  it('FLT-4 leaves nothing where it was to be when it fails, nor a directory above', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one', 'two');
      const broken: BlobReader = {
        ...store,
        async *stream(descriptor) {
          if (descriptor.digest === image.manifest.value.layers[1]?.digest)
            throw fail('BLOB_NOT_FOUND', { what: 'no' });
          yield* store.stream(descriptor);
        },
      };
      const target = openTarget(parsePlace(`${kind}:${dir}/deep/a.tar`));
      await expect(target.put(image, broken)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      expect(readdirSync(dir)).toEqual([]);
    }));

  it('FLT-4 leaves an older file as it was when it fails or is aborted', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one');
      writeFileSync(join(dir, 'a.tar'), 'older');
      const target = openTarget(parsePlace(`${kind}:${dir}/a.tar`));
      await expect(target.put(image, memoryStore())).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      await expect(target.put(image, store, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      expect(readdirSync(dir)).toEqual(['a.tar']);
      expect(readFileSync(join(dir, 'a.tar'), 'utf8')).toBe('older');
    }));

  it.each([
    ['a text', (path: string) => writeFileSync(path, 'precious')],
    ['an archive of something else', (path: string) => archive(path, file('precious'))],
    ['a directory', (path: string) => mkdirSync(path)],
  ])('refuses to take the place of %s', (_, make) =>
    inTemp(async (dir) => {
      await make(join(dir, 'a'));
      const before = listing(dir);
      const target = openTarget(parsePlace(`${kind}:${dir}/a`));
      await expect(target.check()).rejects.toMatchObject({ code: 'LAYOUT_INVALID', fix: expect.any(String) });
      expect(listing(dir)).toEqual(before);
    }),
  );

  it('may take the place of an archive, of an empty file and of nothing, and makes nothing to see that', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one');
      for (const form of ['oci-archive', 'docker-archive'])
        await openTarget(parsePlace(`${form}:${dir}/${form}`)).put(image, store);
      writeFileSync(join(dir, 'gzip'), gzipSync(readFileSync(join(dir, kind))));
      writeFileSync(join(dir, 'empty'), '');
      const before = listing(dir);
      for (const name of ['oci-archive', 'docker-archive', 'gzip', 'empty', 'none', 'deep/er/none'])
        await openTarget(parsePlace(`${kind}:${dir}/${name}`)).check();
      expect(listing(dir)).toEqual(before);
    }));

  it('refuses a path below a file', () =>
    inTemp(async (dir) => {
      writeFileSync(join(dir, 'file'), '');
      await expect(openTarget(parsePlace(`${kind}:${dir}/file/x/a.tar`)).check()).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining(`${dir}/file`),
      });
    }));

  it('reads an archive that is compressed', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one');
      await openTarget(parsePlace(`${kind}:${dir}/a.tar`)).put(image, store);
      writeFileSync(join(dir, 'a.tgz'), gzipSync(readFileSync(join(dir, 'a.tar'))));
      expect((await read(`${kind}:${dir}/a.tgz`)).image.config.bytes).toEqual(image.config.bytes);
    }));

  it('refuses an archive that is cut off', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      await openTarget(parsePlace(`${kind}:${dir}/a.tar`)).put(await imageIn(store, 'one', 'two'), store);
      const whole = readFileSync(join(dir, 'a.tar'));
      for (const size of [0, 700, whole.byteLength >> 1, whole.byteLength - 2000]) {
        writeFileSync(join(dir, 'cut.tar'), whole.subarray(0, size));
        await expect(read(`${kind}:${dir}/cut.tar`)).rejects.toMatchObject({
          code: expect.stringMatching(/^(ARCHIVE|LAYOUT)_INVALID$/),
        });
      }
    }));

  it('says so when there is no file, and when it is a directory', () =>
    inTemp(async (dir) => {
      await expect(read(`${kind}:${dir}/a.tar`)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      await expect(read(`${kind}:${dir}`)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    }));

  it('refuses an archive of something else', () =>
    inTemp(async (dir) => {
      const path = await archive(join(dir, 'a.tar'), file('hello', 'world'));
      await expect(read(`${kind}:${path}`)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    }));
});

describe.each(['oci', 'oci-archive'])('a path of %s with a colon in it', (kind) => {
  it('is taken for a name with a bad tag, unless there is such a directory', () =>
    inTemp(async (dir) => {
      const place = parsePlace(`${kind}:${dir}/x:bad/tag`);
      const refused = {
        code: 'REFERENCE_INVALID',
        message: `${kind}:${dir}/x:bad/tag: "bad/tag" is not a tag`,
        why: `a tag has no slash; and as part of a path it makes no sense, since there is no directory ${dir}/x:bad`,
      };
      await expect(openTarget(place).check()).rejects.toMatchObject(refused);
      await expect(openSource(place, memoryStore()).find(amd64)).rejects.toMatchObject(refused);
      mkdirSync(join(dir, 'x:bad'));
      await openTarget(place).check();
      await expect(openSource(place, memoryStore()).find(amd64)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    }));
});

describe('oci-archive', () => {
  it('holds a layout, each blob once', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one', 'one');
      await openTarget(parsePlace(`oci-archive:${dir}/a.tar:v1`)).put(image, store);
      const blobs = [image.manifest.value.layers[0]?.digest, image.config.descriptor.digest, digestOfImage(image)];
      expect(await namesIn(join(dir, 'a.tar'))).toEqual([
        'blobs',
        'blobs/sha256',
        ...blobs.map((digest) => `blobs/sha256/${hexOf(digest as Digest)}`).sort(),
        'index.json',
        'oci-layout',
      ]);
      expect((await read(`oci-archive:${dir}/a.tar`)).name).toBe('v1');
    }));

  it('tags an image latest that no tag is given for', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      await openTarget(parsePlace(`oci-archive:${dir}/a.tar`)).put(await imageIn(store, 'one'), store);
      expect((await read(`oci-archive:${dir}/a.tar:latest`)).name).toBe('latest');
    }));

  it('keeps a foreign layer elsewhere, which a Docker archive cannot', () =>
    inTemp(async (dir) => {
      const urls = ['https://example.com/layer'];
      const layers = [layerNo('a', { urls })];
      const diffIds = layers.map(({ diffId }) => diffId);
      const image = imageOf({ ...amd64, rootfs: { type: 'layers', diff_ids: diffIds } }, layers);
      await openTarget(parsePlace(`oci-archive:${dir}/a.tar`)).put(image, memoryStore());
      expect((await read(`oci-archive:${dir}/a.tar`)).image.manifest.value.layers[0]?.urls).toEqual(urls);
      const docker = openTarget(parsePlace(`docker-archive:${dir}/b.tar`));
      await expect(docker.put(image, memoryStore())).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
      expect(existsSync(join(dir, 'b.tar'))).toBe(false);
    }));

  it('refuses a blob that does not hold what its name says', () =>
    inTemp(async (dir) => {
      const store = memoryStore();
      const image = await imageIn(store, 'one');
      await openTarget(parsePlace(`oci-archive:${dir}/a.tar`)).put(image, store);
      const bytes = readFileSync(join(dir, 'a.tar'));
      const at = bytes.indexOf('"architecture"');
      bytes[at + 1] = 'A'.charCodeAt(0);
      writeFileSync(join(dir, 'a.tar'), bytes);
      await expect(read(`oci-archive:${dir}/a.tar`)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    }));
});

describe('docker-archive', () => {
  it('takes a name without a tag for latest, and finds a name that is written out in full', () =>
    inTemp(async (dir) => {
      const tar = await tarOf('one');
      const path = await archive(
        join(dir, 'a.tar'),
        file('c.json', configOf(tar)),
        binary('l.tar', tar),
        json('manifest.json', [{ Config: 'c.json', RepoTags: ['docker.io/library/shop:latest'], Layers: ['l.tar'] }]),
      );
      for (const name of ['shop', 'shop:latest', 'library/shop', 'docker.io/library/shop:latest', undefined]) {
        const found = await read(`docker-archive:${path}${name === undefined ? '' : `:${name}`}`);
        expect(found.name).toBe('docker.io/library/shop:latest');
      }
      await expect(read(`docker-archive:${path}:shop:2`)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    }));

  it('chooses among several images by their names', () =>
    inTemp(async (dir) => {
      const [one, two] = [await tarOf('one'), await tarOf('two')];
      const path = await archive(
        join(dir, 'a.tar'),
        file('1.json', configOf(one)),
        file('2.json', configOf(one, two)),
        binary('1.tar', one),
        binary('2.tar', two),
        json('manifest.json', [
          { Config: '1.json', RepoTags: ['shop:1'], Layers: ['1.tar'] },
          { Config: '2.json', RepoTags: ['shop:2', 'shop:latest'], Layers: ['1.tar', '2.tar'] },
        ]),
      );
      expect(layersOf((await read(`docker-archive:${path}:shop:1`)).image)).toHaveLength(1);
      expect(layersOf((await read(`docker-archive:${path}:shop`)).image)).toHaveLength(2);
      await expect(read(`docker-archive:${path}`)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
        why: 'the archive has 2 images, and none was named',
      });
      await expect(read(`docker-archive:${path}:other`)).rejects.toMatchObject({
        why: 'the archive has shop:1, shop:2, shop:latest',
      });
    }));

  it('gives the same image of whatever form docker save has had', () =>
    inTemp(async (dir) => {
      const [one, two] = [await tarOf('one'), await tarOf('two')];
      const config = configOf(one, two, one);
      const configName = hexOf(digestOf(Buffer.from(config)));
      const manifest = (Config: string, ...Layers: readonly string[]) =>
        json('manifest.json', [{ Config, RepoTags: ['shop:1'], Layers }]);
      const blob = (bytes: Buffer | string) => `blobs/sha256/${hexOf(digestOf(Buffer.from(bytes)))}`;
      const plain = await archive(
        join(dir, 'plain.tar'),
        file('c.json', config),
        binary('1.tar', one),
        binary('2.tar', two),
        manifest('c.json', '1.tar', '2.tar', '1.tar'),
      );
      const linked = await archive(
        join(dir, 'linked.tar'),
        directory('aa'),
        file('aa/VERSION', '1.0'),
        file('aa/json', '{}'),
        binary('aa/layer.tar', one),
        directory('bb'),
        binary('bb/layer.tar', two),
        directory('cc'),
        symlink('cc/layer.tar', '../aa/layer.tar'),
        file(`${configName}.json`, config),
        manifest(`${configName}.json`, 'aa/layer.tar', 'bb/layer.tar', 'cc/layer.tar'),
      );
      const gzipped = await archive(
        join(dir, 'gzipped.tar'),
        file('c.json', config),
        binary('1.tar', gzipSync(one)),
        binary('2.tar', gzipSync(two)),
        manifest('c.json', '1.tar', '2.tar', '1.tar'),
      );
      const blobs = await archive(
        join(dir, 'blobs.tar'),
        directory('blobs'),
        directory('blobs/sha256'),
        file(blob(config), config),
        binary(blob(one), one),
        binary(blob(two), two),
        json('index.json', { schemaVersion: 2, manifests: [] }),
        manifest(blob(config), blob(one), blob(two), blob(one)),
        file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
      );
      const found = await Promise.all([plain, linked, gzipped, blobs].map((path) => read(`docker-archive:${path}`)));
      expect(new Set(found.map(({ image }) => digestOfImage(image))).size).toBe(1);
      expect(layersOf(found[0]?.image as Image).map(({ diffId }) => diffId)).toEqual([one, two, one].map(digestOf));
    }));

  it.each<readonly [string, (tar: Buffer) => readonly Part[], string]>([
    ['has no manifest.json', (tar) => [file('c.json', configOf(tar)), binary('l.tar', tar)], 'LAYOUT_INVALID'],
    ['has no config', (tar) => [binary('l.tar', tar), manifestOf('l.tar')], 'LAYOUT_INVALID'],
    ['lacks a layer', (tar) => [file('c.json', configOf(tar)), manifestOf('l.tar')], 'LAYOUT_INVALID'],
    [
      'has a layer that leads out of it',
      (tar) => [file('c.json', configOf(tar)), manifestOf('../../etc/passwd')],
      'LAYOUT_INVALID',
    ],
    [
      'has a link that leads out of it',
      (tar) => [file('c.json', configOf(tar)), symlink('l.tar', '../../etc/passwd'), manifestOf('l.tar')],
      'ARCHIVE_INVALID',
    ],
    [
      'has a layer of other bytes',
      (tar) => [file('c.json', configOf(Buffer.from('x'))), binary('l.tar', tar), manifestOf('l.tar')],
      'DIGEST_MISMATCH',
    ],
    [
      'has fewer layers than its config',
      (tar) => [file('c.json', configOf(tar, tar)), binary('l.tar', tar), manifestOf('l.tar')],
      'DIGEST_MISMATCH',
    ],
    ['has a manifest that is no list', () => [json('manifest.json', {})], 'LAYOUT_INVALID'],
  ])('DOC-13 refuses an archive that %s', (_, parts, code) =>
    inTemp(async (dir) => {
      const path = await archive(join(dir, 'a.tar'), ...parts(await tarOf('one')));
      await expect(read(`docker-archive:${path}`)).rejects.toMatchObject({ code });
    }),
  );
});

function manifestOf(...Layers: readonly string[]): Part {
  return json('manifest.json', [{ Config: 'c.json', RepoTags: null, Layers }]);
}

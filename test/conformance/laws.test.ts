import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../src/oci/app.js';
import { assemble } from '../../src/oci/assemble.js';
import { type Base, digestOfImage, type Image } from '../../src/oci/image.js';
import { digestOfWhole, type ImageIndex, imagesOf, type Whole } from '../../src/oci/image-index.js';
import { indexOf } from '../../src/oci/index-of.js';
import { mapImages } from '../../src/oci/map-images.js';
import { rebaseImage } from '../../src/oci/rebase.js';
import { split } from '../../src/oci/split.js';
import { anyApp, anyBase, anyRelease, reread, rereadIndex } from '../support/arbitrary.js';

const runs = { numRuns: 300 };
const decoder = new TextDecoder();

function bytesOf({ manifest, config }: Image): readonly [string, string] {
  return [decoder.decode(manifest.bytes), decoder.decode(config.bytes)];
}

describe('the laws of assemble and split', () => {
  it('law 1: split(assemble(A, app)).app == app', () => {
    fc.assert(
      fc.property(anyBase, anyApp, (a, app) => {
        expect(split(reread(assemble(a, app).image)).app).toEqual(app);
      }),
      runs,
    );
  });

  it('law 2: rebase(assemble(A, app), B) == assemble(B, app), byte for byte', () => {
    fc.assert(
      fc.property(anyBase, anyBase, anyApp, (a, b, app) => {
        const rebased = rebaseImage(reread(assemble(a, app).image), b);
        const direct = assemble(b, app);
        expect(bytesOf(rebased.image)).toEqual(bytesOf(direct.image));
        expect(rebased.envCollisions).toEqual(direct.envCollisions);
      }),
      runs,
    );
  });

  it('law 3: rebase(image, its own base) == image', () => {
    fc.assert(
      fc.property(anyBase, anyApp, (a, app) => {
        const { image } = assemble(a, app);
        expect(digestOfImage(rebaseImage(reread(image), a).image)).toBe(digestOfImage(image));
      }),
      runs,
    );
  });

  it('law 4: rebase(rebase(image, B), A) == image', () => {
    fc.assert(
      fc.property(anyBase, anyBase, anyApp, (a, b, app) => {
        const { image } = assemble(a, app);
        const there = rebaseImage(reread(image), b).image;
        expect(bytesOf(rebaseImage(reread(there), a).image)).toEqual(bytesOf(image));
      }),
      runs,
    );
  });

  it('tells in split which base the image stands on', () => {
    fc.assert(
      fc.property(anyBase, anyApp, (a, app) => {
        const { base } = split(reread(assemble(a, app).image));
        expect(base.digest).toBe(digestOfImage(a.image));
        expect(base.name).toBe(a.name);
        expect(base.layers.map((layer) => layer.diffId)).toEqual(a.image.config.value.rootfs.diff_ids);
      }),
      runs,
    );
  });
});

describe('the laws of indexes', () => {
  /** An index of one app for each platform, on these bases; and the same moved to others. */
  const on = (bases: readonly Base[], apps: readonly App[]) =>
    rereadIndex(indexOf(bases.map((base, at) => assemble(base, apps[at] as App).image)));
  const moved = (whole: ImageIndex, bases: readonly Base[]): Whole => {
    const images = imagesOf(whole);
    const after = new Map(images.map((image, at) => [image, rebaseImage(image, bases[at] as Base).image]));
    return mapImages(whole, { move: (image) => after.get(image) as Image, base: bases[0] as Base });
  };
  const anyApps = fc.tuple(anyApp, anyApp);
  const textOf = (whole: Whole) => decoder.decode((whole as ImageIndex).index.bytes);

  it('law 2: rebase(index of assemble(A, app), B) == index of assemble(B, app), byte for byte', () => {
    fc.assert(
      fc.property(anyRelease, anyRelease, anyApps, (a, b, apps) => {
        fc.pre(digestOfWhole(on(a, apps)) !== digestOfWhole(on(b, apps)));
        expect(textOf(moved(on(a, apps), b))).toBe(textOf(on(b, apps)));
      }),
      runs,
    );
  });

  it('law 3: rebase(index, its own base) == index, whatever else is in it', () => {
    fc.assert(
      fc.property(anyRelease, anyApps, (a, apps) => {
        const whole = on(a, apps);
        expect(moved(whole, a)).toBe(whole);
      }),
      runs,
    );
  });

  it('law 4: rebase(rebase(index, B), A) == index', () => {
    fc.assert(
      fc.property(anyRelease, anyRelease, anyApps, (a, b, apps) => {
        const there = moved(on(a, apps), b) as ImageIndex;
        expect(textOf(moved(rereadIndex(there), a))).toBe(textOf(on(a, apps)));
      }),
      runs,
    );
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { isFailure } from '../../../src/values/error.js';
import { oddTar } from '../../support/odd-tar.js';
import { gnuLong, pax, tarOf } from '../../support/tar-bytes.js';
import { type Listed, listStrictly, listWithGnuTar, listWithGo, listWithTarStream } from '../../support/tar-readers.js';

/** What is taken in; undefined for what is refused. */
function taken(bytes: Buffer): Listed[] | undefined {
  try {
    return listStrictly(bytes, LAYER);
  } catch (error) {
    if (isFailure(error, 'ARCHIVE_INVALID')) return undefined;
    throw error;
  }
}

async function agree(dir: string, tars: readonly Buffer[]): Promise<void> {
  const files = tars.map((bytes, at) => {
    writeFileSync(join(dir, `${at}.tar`), bytes);
    return join(dir, `${at}.tar`);
  });
  const go = listWithGo(files);
  for (const [at, bytes] of tars.entries()) {
    const ours = listStrictly(bytes, LAYER);
    expect({ at, by: 'Go', listed: go[at] }).toEqual({ at, by: 'Go', listed: ours });
    expect({ at, by: 'tar-stream', listed: await listWithTarStream(bytes) }).toEqual({
      at,
      by: 'tar-stream',
      listed: ours,
    });
    const lines = ours.map(({ line }) => ({ line }));
    expect({ at, by: 'GNU tar', listed: listWithGnuTar(files[at] as string) }).toEqual({
      at,
      by: 'GNU tar',
      listed: lines,
    });
  }
}

describe('what the strict reader takes in', () => {
  it('TAR-11 is what GNU tar, tar-stream and Go see', () =>
    withTempDir('readers', undefined, async (dir) => {
      const tars = fc
        .sample(oddTar(), { numRuns: 3000, seed: 20_260_101 })
        .filter((bytes) => taken(bytes) !== undefined);
      expect(tars.length).toBeGreaterThan(300);
      await agree(dir, tars);
    }));

  it('TAR-11 is what they see, also where headers say a thing twice', () =>
    withTempDir('readers', undefined, async (dir) => {
      await agree(dir, [
        tarOf(pax({ size: '3', path: 'b', mtime: '1.5', uid: '9' }), { name: 'a', size: 3, body: 'xyz' }),
        tarOf(pax({ size: '600' }), { size: 0, body: Buffer.alloc(600, tarOf({ name: 'hidden' })) }),
        tarOf({ body: tarOf({ name: 'hidden' }) }, { name: 'b' }),
        tarOf(gnuLong('K', 't'.repeat(300)), gnuLong('L', 'n'.repeat(200)), { flag: '2', link: 'short' }),
        tarOf(pax({ comment: 'c' }, 'g'), pax({ path: 'x' }), {}),
      ]);
    }));
});

import { chownSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { gzip } from '../../../src/archive/gzip.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { OCI_LAYER_GZIP } from '../../../src/oci/media-types.js';
import { mountApp } from '../../../src/steps/mount-app.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { file, layer, type Part, symlink } from '../../support/layer-tar.js';

const inTemp = <T>(work: (dir: string) => Promise<T>) => withTempDir('mount-app', undefined, work);

async function appOf(dir: string, ...parts: readonly Part[]) {
  const blobs = memoryStore();
  const { diffId, tar } = await layer(...parts);
  const descriptor = { mediaType: OCI_LAYER_GZIP, ...(await blobs.ingest(gzip(tar()))) };
  return { directory: join(dir, 'roots'), layers: [{ name: 'source', diffId, descriptor }], blobs, signal: undefined };
}

/** The host directory of /app in a fresh private directory. */
async function mounted(request: Awaited<ReturnType<typeof appOf>>, directory: string): Promise<string> {
  mkdirSync(directory);
  const mounts = await mountApp(request, directory, () => {});
  expect(mounts.map(({ to, writable }) => [to, writable])).toEqual([
    ['/tmp', true],
    ['/app', true],
    ['/pack-build', false],
  ]);
  return mounts.find(({ to }) => to === '/app')?.from as string;
}

describe('mountApp', () => {
  it('gives each process an /app of its own, and reads no layer for the second', () =>
    inTemp(async (dir) => {
      const request = await appOf(dir, file('app/page', 'one'), file('pack-build/launcher', ''));
      const first = await mounted(request, join(dir, '1'));
      writeFileSync(join(first, 'page'), 'changed');
      const second = await mounted({ ...request, blobs: memoryStore() }, join(dir, '2'));
      expect(readFileSync(join(second, 'page'), 'utf8')).toBe('one');
    }));

  it('R58 has files that are closed to their own user, also for one who cannot copy them', () =>
    inTemp(async (dir) => {
      const request = await appOf(dir, file('app/closed', 'x', 0o000), file('pack-build/launcher', ''));
      const nobody = 65534;
      chownSync(dir, nobody, nobody);
      process.seteuid?.(nobody);
      try {
        const closed = lstatSync(join(await mounted(request, join(dir, '1')), 'closed'));
        expect([closed.mode & 0o777, closed.size]).toEqual([0, 1]);
      } finally {
        process.seteuid?.(0);
      }
    }));

  it('follows no link on the host', () =>
    inTemp(async (dir) => {
      const request = await appOf(dir, symlink('app', '/etc'), file('pack-build/launcher', ''));
      mkdirSync(join(dir, '1'));
      await expect(mountApp(request, join(dir, '1'), () => {})).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    }));
});

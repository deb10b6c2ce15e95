import { chmod, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openLayer } from '../layers/open-layer.js';
import { unpackedApp } from '../layers/roots.js';
import { unpackLayers } from '../layers/unpack.js';
import type { Mount } from '../sandbox/sandbox.js';
import { copyExactly } from '../system/copy-exactly.js';
import { removeTree } from '../system/remove.js';
import { fail, isFailure, systemCode } from '../values/error.js';
import { type Listener, step } from '../values/events.js';

type AppLayers = Parameters<typeof unpackedApp>[0];

/**
 * The mounts of a process of an app: a copy of the app's own layers, which hold nothing but /app and /pack-build, and a /tmp,
 * all in this private directory. Throws `IMAGE_INVALID`, `DISK_FULL`, and what unpacking throws.
 */
export async function mountApp(request: AppLayers, directory: string, on: Listener): Promise<readonly Mount[]> {
  const tree = join(directory, 'tree');
  await step(on, 'unpack', 'app', async () => copyUnpacked(request, tree));
  for (const own of ['app', 'pack-build']) await requireDirectory(tree, own);
  const tmp = join(directory, 'tmp');
  await mkdir(tmp);
  await chmod(tmp, 0o1777);
  return [
    { from: tmp, to: '/tmp', writable: true },
    { from: join(tree, 'app'), to: '/app', writable: true },
    { from: join(tree, 'pack-build'), to: '/pack-build', writable: false },
  ];
}

/** To copy is several times faster than to unpack, but not everybody can copy a file that is closed to its own user. */
async function copyUnpacked(request: AppLayers, tree: string): Promise<void> {
  const kept = await unpackedApp(request);
  try {
    await copyExactly(kept.path, tree);
  } catch (error) {
    if (!isFailure(error, 'STORE_FAILED')) throw error;
    await removeTree(tree);
    await mkdir(tree);
    await unpackLayers(
      request.layers.map((layer) => openLayer(layer, request.blobs)),
      tree,
      request.signal,
    );
  }
}

/** What is mounted must lie in the unpacked tree: a link would be followed on the host. */
async function requireDirectory(tree: string, own: string): Promise<void> {
  const path = join(tree, own);
  await mkdir(path).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
  if ((await lstat(path)).isDirectory()) return;
  throw fail('IMAGE_INVALID', {
    what: `the image cannot be started: its /${own} is not a directory`,
    why: 'no build makes such an image: somebody else did',
  });
}

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bootstrapped, bootstrapDebian } from '../base/bootstrap.js';
import { baseConfig } from '../base/config.js';
import type { Suite } from '../base/suites.js';
import { directoryStore } from '../blobs/directory-store.js';
import type { BlobStore } from '../blobs/store.js';
import type { Cache } from '../cache/cache.js';
import { differenceTar, normalisedTar } from '../layers/difference.js';
import { packTar } from '../layers/pack.js';
import { openTarget } from '../layout/places.js';
import type { Manifest } from '../oci/documents.js';
import type { Image, Layer } from '../oci/image.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.js';
import { removeTree } from '../system/remove.js';
import { withTempDir } from '../system/tempdir.js';
import { documentOf } from '../values/document.js';
import { step } from '../values/events.js';
import { sweepCache } from './sweep-cache.js';
import type { Tools } from './tools.js';

export interface CreateRequest {
  readonly suite: Suite;
  /** The layout's directory; the images get the tags `run` and `build`. */
  readonly path: string;
  readonly include: readonly string[];
  readonly security: boolean;
  /** Only the image that apps run on. */
  readonly only?: 'run' | undefined;
}

/** The images of a base, by their tags. */
export type CreatedImages = ReadonlyMap<'run' | 'build', Image>;

/**
 * Bootstraps a base and writes its images to a layout. The build image is the run image with one more layer, so that what
 * they share is stored and unpacked once. The same packages give the same digests. Throws as `bootstrapDebian` and writing.
 */
export async function createBase(request: CreateRequest, cache: Cache, tools: Tools): Promise<CreatedImages> {
  const { title } = request.suite;
  tools.on({
    type: 'info',
    message: `-----> Making a base of ${title} ${request.security ? 'with' : 'without'} security fixes`,
  });
  await openTarget({ kind: 'oci', path: request.path, tag: 'run' }).check();
  await sweepCache(cache);
  await cache.use('packages', 'archives');
  return withTempDir('base', cache.work, async (workDir) => {
    const made = await step(tools.on, 'base', 'bootstrap', () =>
      bootstrapDebian({
        suite: request.suite,
        include: request.include,
        security: request.security,
        only: request.only,
        workDir,
        debCache: cache.packages,
        env: tools.env,
        signal: tools.signal,
        onOutput: (bytes) => tools.on({ type: 'output', step: 'base', subject: 'mmdebstrap', stream: 'stderr', bytes }),
      }),
    );
    const store = directoryStore(join(workDir, 'blobs'));
    const images = await step(tools.on, 'layers', 'base', () => imagesOf(made, request, store, tools));
    await writeImages(images, request.path, store, tools);
    return images;
  });
}

async function imagesOf(
  made: Bootstrapped,
  { suite, security }: CreateRequest,
  store: BlobStore,
  tools: Tools,
): Promise<CreatedImages> {
  const facts = { suite, security, version: made.version, architecture: made.architecture };
  const options = { store, signal: tools.signal };
  const bottom = await packTar(normalisedTar(made.run.tar), options);
  const images = new Map<'run' | 'build', Image>();
  images.set('run', imageOf([bottom], { ...facts, kind: 'run', packages: made.run.packages }));
  if (made.build === undefined) return images;
  const { tar, packages } = made.build;
  const top = await packTar(differenceTar(made.run.tar, tar), options);
  images.set('build', imageOf([bottom, top], { ...facts, kind: 'build', packages }));
  return images;
}

function imageOf(layers: readonly Layer[], facts: Omit<Parameters<typeof baseConfig>[0], 'diffIds'>): Image {
  const config = documentOf(baseConfig({ ...facts, diffIds: layers.map(({ diffId }) => diffId) }), OCI_CONFIG);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return { config, manifest: documentOf(manifest, OCI_MANIFEST) };
}

/** A layout that was not there before is taken away again when only one of its images could be written. */
async function writeImages(images: CreatedImages, path: string, store: BlobStore, tools: Tools): Promise<void> {
  const fresh = (await lstat(path).catch(() => undefined)) === undefined;
  try {
    for (const [tag, image] of images) {
      await step(tools.on, 'write', `oci:${path}:${tag}`, () =>
        openTarget({ kind: 'oci', path, tag }).put(image, store, tools.signal),
      );
    }
  } catch (error) {
    if (fresh) await removeTree(path);
    throw error;
  }
}

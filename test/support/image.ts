import { gzipSync } from 'node:zlib';
import type { BlobStore } from '../../src/blobs/store.js';
import type { App } from '../../src/oci/app.js';
import type { ImageConfig, RunConfig } from '../../src/oci/documents.js';
import type { Base, Image, Layer } from '../../src/oci/image.js';
import { OCI_LAYER_GZIP } from '../../src/oci/media-types.js';
import type { Descriptor } from '../../src/values/descriptor.js';
import { type DiffId, digestOf, fromHex, parseDiffId } from '../../src/values/digest.js';
import { defined } from '../../src/values/json.js';
import { imageOf } from './arbitrary.js';

/** A layer that is only told of: its digests are these digits again and again. */
export function layerNo(digit: string, more: Partial<Descriptor> = {}): Layer {
  const diffId = fromHex(digit.repeat(64)) as string as DiffId;
  const digest = fromHex(`${digit}0`.repeat(32));
  return { diffId, descriptor: { mediaType: OCI_LAYER_GZIP, digest, size: 10, ...more } };
}

interface BaseParts {
  readonly layers?: readonly Layer[];
  readonly config?: Partial<ImageConfig>;
  readonly docker?: boolean;
  readonly name?: string;
}

/** A base with these layers. */
export function baseOf({ layers = [layerNo('a'), layerNo('b')], config, docker, name }: BaseParts = {}): Base {
  const whole: ImageConfig = {
    os: 'linux',
    architecture: 'amd64',
    config: { Env: ['PATH=/bin'], User: '1000:1000', Labels: { 'io.buildpacks.stack.id': 'heroku-24' } },
    ...config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  return defined({ image: imageOf(whole, layers, docker), name });
}

/** An app of two layers, with these differences. */
export function appOf(more: Partial<App> = {}): App {
  return {
    schema: 1,
    created: '1980-01-01T00:00:01Z',
    platform: { os: 'linux', architecture: 'amd64' },
    stack: 'heroku-24',
    buildBase: { digest: fromHex('9'.repeat(64)) },
    buildpacks: [{ id: 'nodejs', name: 'Node.js', version: '1' }],
    processes: { web: 'node server.js' },
    entrypoint: ['/pack-build/launcher'],
    cmd: ['web'],
    user: '1000:1000',
    workingDir: '/app',
    stopSignal: 'SIGTERM',
    env: { HOME: '/app' },
    labels: { 'org.opencontainers.image.revision': 'abc' },
    needs: { paths: [], libraries: [], versions: {} },
    layers: [
      { ...layerNo('c'), name: 'runtime' },
      { ...layerNo('d'), name: 'source' },
    ],
    ...more,
  };
}

/** An image whose layers hold these texts instead of tars: for what does not unpack them. */
export async function storedImage(
  store: BlobStore,
  texts: readonly string[],
  architecture = 'amd64',
  run: RunConfig = {},
): Promise<Image> {
  const layers: Layer[] = [];
  for (const text of texts) {
    const blob = gzipSync(text);
    const descriptor = { mediaType: OCI_LAYER_GZIP, digest: digestOf(blob), size: blob.byteLength };
    await store.write(descriptor, [blob]);
    layers.push({ descriptor, diffId: parseDiffId(digestOf(Buffer.from(text))) });
  }
  const config: ImageConfig = {
    os: 'linux',
    architecture,
    config: run,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const image = imageOf(config, layers);
  for (const { descriptor, bytes } of [image.config, image.manifest]) await store.write(descriptor, [bytes]);
  return image;
}

import fc from 'fast-check';
import type { App, AppLayer } from '../../src/oci/app.js';
import { type ImageConfig, type Manifest, parseConfig, parseIndex, parseManifest } from '../../src/oci/documents.js';
import { type Base, type Image, type Layer, layersOf } from '../../src/oci/image.js';
import { type ImageIndex, isImageIndex, isOther } from '../../src/oci/image-index.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from '../../src/oci/media-types.js';
import type { Descriptor } from '../../src/values/descriptor.js';
import { type DiffId, type Digest, fromHex } from '../../src/values/digest.js';
import { defined } from '../../src/values/json.js';

/** Random digests, drawn from few values so that duplicates happen. */
const digest: fc.Arbitrary<Digest> = fc
  .oneof(
    fc.integer({ min: 0, max: 9 }).map((n) => String(n).repeat(64)),
    fc.stringMatching(/^[0-9a-f]{64}$/),
  )
  .map(fromHex);

const diffId = digest as fc.Arbitrary<string> as fc.Arbitrary<DiffId>;
const size = fc.integer({ min: 0, max: 2 ** 40 });
const name = fc.oneof(
  fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/),
  fc.constantFrom('PATH', 'HOME', '__proto__', 'constructor', 'A'),
);
/** All that a setting can be: any Unicode but NUL. */
const text = fc
  .string({ maxLength: 12, unit: 'binary' })
  .filter((value) => Buffer.from(value).toString() === value && !value.includes('\0'));
const word = fc.stringMatching(/^[a-z0-9./-]{1,12}$/);
const labels = fc.dictionary(
  fc.oneof(word, fc.constantFrom('org.opencontainers.image.title', 'io.buildpacks.stack.id', 'dev.pack-build.app')),
  text,
  { maxKeys: 4 },
);
const appLabels = fc.dictionary(fc.oneof(word, fc.constantFrom('org.opencontainers.image.revision')), text, {
  maxKeys: 3,
});
const time = fc.constantFrom('1980-01-01T00:00:01Z', '2026-01-02T03:04:05Z');

const ociLayerType = fc.constantFrom(
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.v1.tar+zstd',
);
const dockerLayerType = fc.constantFrom(
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
);

function layer(mediaType: fc.Arbitrary<string>): fc.Arbitrary<Layer> {
  const descriptor = fc.record(
    { mediaType, digest, size, urls: fc.array(fc.webUrl(), { maxLength: 1 }), annotations: labels },
    { requiredKeys: ['mediaType', 'digest', 'size'] },
  ) as fc.Arbitrary<Descriptor>;
  return fc.record({ descriptor, diffId });
}

const history = fc.array(
  fc.record({ created: time, created_by: text, empty_layer: fc.boolean() }, { requiredKeys: [] }),
  { maxLength: 6 },
);

/** Any image that can be a base: OCI or Docker, with history that is absent, short, long or all empty, and unknown fields. */
export const anyBase: fc.Arbitrary<Base> = fc.boolean().chain((docker) =>
  fc
    .record({
      layers: fc.array(layer(docker ? dockerLayerType : ociLayerType), { maxLength: 5 }),
      history: fc.option(history, { nil: undefined }),
      os: fc.constant('linux'),
      architecture: fc.constantFrom('amd64', 'arm64'),
      variant: fc.option(fc.constant('v8'), { nil: undefined }),
      created: fc.option(time, { nil: undefined }),
      unknown: fc.dictionary(fc.constantFrom('os.version', 'author', 'x-more'), text),
      run: fc.option(
        fc.record(
          {
            Env: fc.array(
              fc.oneof(
                fc.tuple(name, text).map(([key, value]) => `${key}=${value}`),
                name,
              ),
              { maxLength: 5 },
            ),
            Labels: labels,
            User: word,
            Cmd: fc.array(text, { maxLength: 2 }),
            Entrypoint: fc.array(text, { maxLength: 2 }),
            WorkingDir: word,
            Volumes: fc.dictionary(fc.stringMatching(/^\/[a-z]{1,8}$/), fc.constant({})),
            ExposedPorts: fc.constant({ '80/tcp': {} }),
          },
          { requiredKeys: [] },
        ),
        { nil: undefined },
      ),
      baseName: fc.option(word, { nil: undefined }),
      index: fc.option(digest, { nil: undefined }),
    })
    .map(({ layers, history: past, os, architecture, variant, created, unknown, run, baseName, index }) => {
      const config = {
        ...unknown,
        ...defined({ os, architecture, variant, created, config: run, history: past }),
        rootfs: { type: 'layers', diff_ids: layers.map((item) => item.diffId) },
      };
      return defined({ image: imageOf(config as never, layers, docker), name: baseName, index });
    }),
);

/** Any release of a base for two platforms: two images under one name, of one index or none. */
export const anyRelease: fc.Arbitrary<readonly [Base, Base]> = fc
  .record({ amd64: anyBase, arm64: anyBase, index: fc.option(digest, { nil: undefined }) })
  .map(({ amd64, arm64, index }) => {
    const { name: common } = amd64;
    const [one, two] = [
      [amd64, 'amd64'],
      [arm64, 'arm64'],
    ].map(([base, architecture]) =>
      defined({ image: withArchitecture((base as Base).image, architecture as string), name: common, index }),
    );
    return [one, two] as never;
  });

function withArchitecture({ manifest, config }: Image, architecture: string): Image {
  const { variant: _, ...value } = config.value;
  const changed = architecture === 'arm64' ? { ...config.value, architecture } : { ...value, architecture };
  const isDocker = manifest.descriptor.mediaType === DOCKER_MANIFEST;
  return imageOf(changed as ImageConfig, layersOf({ manifest, config }), isDocker);
}

const appLayer: fc.Arbitrary<AppLayer> = layer(ociLayerType).chain(
  ({ descriptor: { mediaType, digest: is, size: of }, diffId: tar }) =>
    word.map((title) => ({ name: title, diffId: tar, descriptor: { mediaType, digest: is, size: of } })),
);

/** Any app. */
export const anyApp: fc.Arbitrary<App> = fc.record({
  schema: fc.constant(1 as const),
  created: time,
  platform: fc.constant({ os: 'linux', architecture: 'amd64' }),
  stack: word,
  buildBase: fc.record({ digest, name: word, packages: digest }, { requiredKeys: ['digest'] }) as fc.Arbitrary<
    App['buildBase']
  >,
  buildpacks: fc.array(fc.record({ id: word, name: text, version: word }), { maxLength: 3 }),
  processes: fc.dictionary(word, text, { maxKeys: 3 }),
  entrypoint: fc.array(text, { minLength: 1, maxLength: 2 }),
  cmd: fc.array(text, { maxLength: 2 }),
  user: word,
  workingDir: word,
  stopSignal: word,
  env: fc.dictionary(name, fc.option(text, { nil: null }), { maxKeys: 4 }),
  labels: appLabels,
  needs: fc.record({
    paths: fc.array(word),
    libraries: fc.array(word),
    versions: fc.dictionary(word, fc.array(word), { noNullPrototype: true }),
  }),
  layers: fc.array(appLayer, { maxLength: 5 }),
});

/** An image from its parts, through the bytes that a reader would see. */
export function imageOf(config: ImageConfig, layers: readonly Layer[], docker = false): Image {
  const configBytes = new TextEncoder().encode(JSON.stringify(config));
  const parsedConfig = parseConfig(configBytes, docker ? DOCKER_CONFIG : OCI_CONFIG);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: docker ? DOCKER_MANIFEST : OCI_MANIFEST,
    config: parsedConfig.descriptor,
    layers: layers.map((item) => item.descriptor),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  return { manifest: parseManifest(bytes, manifest.mediaType as string), config: parsedConfig };
}

/** The index as a reader would get it from its bytes. */
export function rereadIndex({ index, children }: ImageIndex): ImageIndex {
  const images = children.map((child) => (isImageIndex(child) || isOther(child) ? child : reread(child)));
  return { index: parseIndex(index.bytes, index.descriptor.mediaType), children: images };
}

/** The image as a reader would get it from its bytes. */
export function reread(image: Image): Image {
  return {
    manifest: parseManifest(image.manifest.bytes, image.manifest.descriptor.mediaType),
    config: parseConfig(image.config.bytes, image.config.descriptor.mediaType),
  };
}

import type { Descriptor } from '../values/descriptor.js';
import { documentOf } from '../values/document.js';
import { fail, isFailure } from '../values/error.js';
import { defined } from '../values/json.js';
import { formatPlatform, samePlatform } from '../values/platform.js';
import type { Index } from './documents.js';
import { type Base, digestOfImage, type Image, labelsOf, platformOf } from './image.js';
import type { ImageIndex } from './image-index.js';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX } from './media-types.js';
import { parseRecord, RECORD_LABEL, type SeamRecord } from './record.js';

export const BASE_NAME = 'org.opencontainers.image.base.name';
export const BASE_DIGEST = 'org.opencontainers.image.base.digest';

/**
 * Makes one index of images, in their order. Pure: the same images give the same bytes. It is an OCI index of OCI images, or
 * a Docker list of Docker images; and it tells which base all of them stand on, where they stand on one index. Throws
 * `INDEX_INVALID` for two images of one platform, for images of both families, and for none at all.
 */
export function indexOf(images: readonly Image[]): ImageIndex {
  requireOneEach(images);
  const mediaType = familyOf(images);
  if (mediaType === undefined) throw mixed();
  const annotations = mediaType === OCI_INDEX ? baseAnnotations(commonBase(images)) : {};
  const index: Index = {
    schemaVersion: 2,
    mediaType,
    manifests: images.map(entryOf),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  return { index: documentOf(index, mediaType), children: images };
}

/** The media type of an index of these images; undefined where they are of two families. */
export function familyOf(images: readonly Image[]): typeof OCI_INDEX | typeof DOCKER_LIST | undefined {
  const types = new Set(images.map(({ manifest }) => manifest.descriptor.mediaType === DOCKER_MANIFEST));
  if (types.size > 1) return undefined;
  return types.has(true) ? DOCKER_LIST : OCI_INDEX;
}

/** What an index says of the base that its images stand on: nothing where that is no index itself. */
export function baseAnnotations({ name, index }: Pick<Base, 'name' | 'index'>): Readonly<Record<string, string>> {
  if (index === undefined) return {};
  return { ...(name === undefined ? {} : { [BASE_NAME]: name }), [BASE_DIGEST]: index };
}

/** What an image says of itself where an index names it. */
export function platformEntryOf({ config }: Image): NonNullable<Descriptor['platform']> {
  const { os, architecture, variant } = config.value;
  const more = ['os.version', 'os.features'].flatMap((name) =>
    config.value[name] ? [[name, config.value[name]]] : [],
  );
  return { ...defined({ os, architecture, variant }), ...Object.fromEntries(more) };
}

function entryOf(image: Image): Descriptor {
  return { ...image.manifest.descriptor, platform: platformEntryOf(image) };
}

/** The index that all of these images of ours were put on, with its name if they agree on that too. */
function commonBase(images: readonly Image[]): Pick<Base, 'name' | 'index'> {
  const bases = images.map(recordedBase);
  const agreed = <K extends 'name' | 'index'>(key: K) => {
    const [value, ...others] = new Set(bases.map((base) => base?.[key]));
    return others.length === 0 ? value : undefined;
  };
  return defined({ name: agreed('name'), index: agreed('index') });
}

function recordedBase(image: Image): SeamRecord['base'] | undefined {
  const label = labelsOf(image)[RECORD_LABEL];
  try {
    return label === undefined ? undefined : parseRecord(label).base;
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
}

function requireOneEach(images: readonly Image[]): void {
  if (images.length === 0) {
    throw fail('INDEX_INVALID', { what: 'an index needs an image', fix: 'name at least one' });
  }
  for (const [at, image] of images.entries()) {
    const platform = platformOf(image);
    const same = images.slice(0, at).find((other) => samePlatform(platformOf(other), platform));
    if (same === undefined) continue;
    throw fail('INDEX_INVALID', {
      what: `two images for ${formatPlatform(platform)} cannot be in one index`,
      why: `they are ${digestOfImage(same)} and ${digestOfImage(image)}`,
      fix: 'name one image for each platform',
      details: { platform: formatPlatform(platform), digests: [digestOfImage(same), digestOfImage(image)] },
    });
  }
}

function mixed() {
  return fail('INDEX_INVALID', {
    what: 'OCI images and Docker images cannot be in one index',
    why: 'some registries and engines refuse an index of both families',
    fix: 'copy the Docker images first: skopeo copy --format oci docker://REF oci:DIR',
  });
}

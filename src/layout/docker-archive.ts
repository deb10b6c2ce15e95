import type { FoundImage } from '../blobs/images.js';
import type { BlobStore } from '../blobs/store.js';
import { type Manifest, parseConfig } from '../oci/documents.js';
import type { Layer } from '../oci/image.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.js';
import type { DiffId, Digest } from '../values/digest.js';
import { documentOf } from '../values/document.js';
import { fail } from '../values/error.js';
import { asArray, asString, asStrings, defined, type Located, member, optional, parseJson } from '../values/json.js';
import { formatPlace } from '../values/place.js';
import { type ArchivePlace, type Members, notAnImage } from './archive-members.js';

/** A docker archive has no manifest: the one made here depends on its config and layers alone. */
export async function findInDocker(place: ArchivePlace, members: Members, store: BlobStore): Promise<FoundImage> {
  const bytes = members.documents.get('manifest.json');
  if (bytes === undefined) throw notAnImage(place, 'it has no manifest.json');
  const listed = asArray(parseJson(bytes, `${place.path}: manifest.json`, 'LAYOUT_INVALID'));
  const { item, name } = chooseListed(place, listed);
  const configBytes = members.documents.get(asString(member(item, 'Config')));
  if (configBytes === undefined) throw notAnImage(place, `its config ${asString(member(item, 'Config'))} is missing`);
  const config = parseConfig(configBytes, OCI_CONFIG);
  const layers = asStrings(member(item, 'Layers')).map((path) => layerAt(place, members, path));
  proveLayers(place, layers, config.value.rootfs.diff_ids);
  const manifest = documentOf<Manifest>(
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: layers.map((layer) => layer.descriptor),
    },
    OCI_MANIFEST,
  );
  proveDigest(place, [config.descriptor.digest, manifest.descriptor.digest]);
  return defined({ image: { manifest, config }, name, blobs: store });
}

/** A digest means the image ID, which is that of the config, or the manifest made here. */
function proveDigest(place: ArchivePlace, digests: readonly Digest[]): void {
  if (place.digest === undefined || digests.includes(place.digest)) return;
  throw fail('IMAGE_NOT_FOUND', { what: `${formatPlace(place)} is not there`, why: `the archive holds ${digests[0]}` });
}

function proveLayers(place: ArchivePlace, layers: readonly Layer[], diffIds: readonly DiffId[]): void {
  const wrong = layers.findIndex((layer, at) => layer.diffId !== diffIds[at]);
  if (wrong === -1 && layers.length === diffIds.length) return;
  throw fail('DIGEST_MISMATCH', {
    what: `${formatPlace(place)}: its layers are not those that its config names`,
    why:
      wrong === -1
        ? `${diffIds.length} layers expected, ${layers.length} found`
        : `layer ${wrong + 1} of ${layers.length} is ${layers[wrong]?.diffId}, the config says ${diffIds[wrong] ?? 'nothing of it'}`,
    fix: 'copy or make the archive again',
  });
}

function chooseListed(
  place: ArchivePlace,
  listed: readonly Located[],
): { readonly item: Located; readonly name: string | undefined } {
  const wanted = place.kind === 'docker-archive' ? place.reference : undefined;
  const named = listed.map((item) => ({ item, tags: optional(member(item, 'RepoTags'), asStrings) ?? [] }));
  const matches = named.flatMap(({ item, tags }) => {
    const name = wanted === undefined ? tags[0] : tags.find((tag) => isNamed(tag, withTag(wanted)));
    return wanted === undefined || name !== undefined ? [{ item, name }] : [];
  });
  const [only, ...others] = matches;
  if (only !== undefined && others.length === 0) return only;
  throw fail('IMAGE_NOT_FOUND', {
    what: `${formatPlace(place)} is not there`,
    why:
      wanted === undefined
        ? `the archive has ${listed.length} images, and none was named`
        : `the archive has ${named.flatMap(({ tags }) => tags).join(', ') || 'no names'}`,
    fix: 'name one of its images: docker-archive:FILE:REF',
  });
}

/** Some tools write names out in full: `docker.io/library/shop:1`. */
function isNamed(tag: string, wanted: string): boolean {
  return tag === wanted || tag.endsWith(`/${wanted}`);
}

/** A name without a tag means `latest`. */
export function withTag(reference: string): string {
  return /:[^/]*$/.test(reference) ? reference : `${reference}:latest`;
}

function layerAt(place: ArchivePlace, { layers, links }: Members, path: string): Layer {
  const target = links.get(path);
  const resolved = target === undefined ? path : new URL(target, `file:///${path}`).pathname.slice(1);
  const layer = layers.get(resolved);
  if (layer !== undefined) return layer;
  throw notAnImage(place, `its layer ${path} is missing`);
}

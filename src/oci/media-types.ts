/** Media types of the image-spec (media-types.md) and of Docker's Image Manifest V2, Schema 2. */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const OCI_LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

const OCI_OF_DOCKER: ReadonlyMap<string, string> = new Map([
  [DOCKER_LIST, OCI_INDEX],
  [DOCKER_MANIFEST, OCI_MANIFEST],
  [DOCKER_CONFIG, OCI_CONFIG],
  ['application/vnd.docker.image.rootfs.diff.tar', OCI_LAYER],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', OCI_LAYER_GZIP],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar', 'application/vnd.oci.image.layer.nondistributable.v1.tar'],
  [
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ],
]);

/** The OCI name of a Docker media type; any other type is its own. The bytes meant are the same. */
export function ociMediaType(mediaType: string): string {
  return OCI_OF_DOCKER.get(mediaType) ?? mediaType;
}

const DOCKER_OF_OCI: ReadonlyMap<string, string> = new Map([...OCI_OF_DOCKER].map(([docker, oci]) => [oci, docker]));

/** The Docker name of an OCI media type; any other type is its own. */
export function dockerMediaType(mediaType: string): string {
  return DOCKER_OF_OCI.get(mediaType) ?? mediaType;
}

export function isIndex(mediaType: string): boolean {
  return ociMediaType(mediaType) === OCI_INDEX;
}

export function isManifest(mediaType: string): boolean {
  return ociMediaType(mediaType) === OCI_MANIFEST;
}

/** True for the config of an image that can be run; artifacts have others. */
export function isConfig(mediaType: string): boolean {
  return ociMediaType(mediaType) === OCI_CONFIG;
}

/** The media type of a layer whose tar is compressed like this. */
export function layerTypeOf(format: 'none' | 'gzip' | 'zstd'): string {
  return { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD }[format];
}

/** How a layer's tar is compressed, by its media type; undefined for a type that is not a layer's. */
export function compressionOf(mediaType: string): 'none' | 'gzip' | 'zstd' | undefined {
  const match = /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(gzip|zstd))?$/.exec(
    ociMediaType(mediaType),
  );
  if (!match) return undefined;
  return (match[1] as 'gzip' | 'zstd' | undefined) ?? 'none';
}

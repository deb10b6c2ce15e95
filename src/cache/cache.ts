import { join, resolve } from 'node:path';

/**
 * Where pack-build keeps what it need not make twice. All of it may be deleted at any time. The version in the path keeps
 * one version's files from being misread by another.
 */
export interface Cache {
  readonly root: string;
  /** Blobs by digest: layers that were packed and archives that were read. */
  readonly blobs: string;
  /** Which blob holds the layer of a diffID. */
  readonly layers: string;
  /** Unpacked bases and apps. */
  readonly roots: string;
  /** Lists of what is in a base. */
  readonly inventories: string;
  /** What the files of each app's source were when they were hashed. */
  readonly sources: string;
  /** CACHE_DIR of each app. */
  readonly apps: string;
  /** Buildpacks of web servers, as they came, by their integrity. */
  readonly tarballs: string;
  /** Bases that were bootstrapped, and the packages they were made from. */
  readonly bases: string;
  readonly packages: string;
  /** Work in progress; what a killed process has left here is removed by the next one. */
  readonly work: string;
}

export const CACHE_VERSION = 'v1';

export function cacheAt(directory: string): Cache {
  const root = resolve(directory, CACHE_VERSION);
  return {
    root,
    blobs: join(root, 'blobs'),
    layers: join(root, 'layers'),
    roots: join(root, 'roots'),
    inventories: join(root, 'inventories'),
    sources: join(root, 'sources'),
    apps: join(root, 'apps'),
    tarballs: join(root, 'tarballs'),
    bases: join(root, 'bases'),
    packages: join(root, 'packages'),
    work: join(root, 'work'),
  };
}

import { join, resolve } from 'node:path';
import { directoryStore } from '../blobs/directory-store.js';
import type { BlobStore } from '../blobs/store.js';
import { type LeasePlaces, withLease } from '../system/lease.js';

/** What the cache is made of: a directory each. */
export const PARTS = [
  'blobs',
  'layers',
  'roots',
  'inventories',
  'sources',
  'apps',
  'tarballs',
  'bases',
  'packages',
  'work',
] as const;
export type Part = (typeof PARTS)[number];

/** The parts whose entries are leased. */
export type LeasedPart = Exclude<Part, 'layers' | 'work'> | 'notes';

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
  /** Who uses what, and when each entry was last used. */
  readonly leasing: LeasePlaces;
  /** Says that an entry is about to be used: no prune removes it until the verb that uses it has ended. */
  use(part: LeasedPart, name: string): Promise<void>;
}

export const CACHE_VERSION = 'v1';

/** The name that an entry has among leases. */
export function leaseName(part: LeasedPart, name: string): string {
  return `${part}.${name}`;
}

/** Runs a verb with the cache of a directory. What it uses there is its own until it has ended. */
export async function withCache<T>(directory: string, work: (cache: Cache) => Promise<T>): Promise<T> {
  const cache = cacheAt(directory);
  return withLease(cache.leasing, (use) => work({ ...cache, use: (part, name) => use(leaseName(part, name)) }));
}

/** The blobs of a cache. */
export function blobsIn(cache: Cache): BlobStore {
  return directoryStore(cache.blobs, {
    use: (hex) => cache.use('blobs', hex),
    useNote: (name) => cache.use('notes', name),
  });
}

/** Where things are. Nothing is leased. */
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
    leasing: { leases: join(root, 'leases'), used: join(root, 'used'), gate: join(root, 'prune') },
    use: async () => undefined,
  };
}

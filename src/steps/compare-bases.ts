import type { FoundImage } from '../blobs/images.js';
import type { Cache } from '../cache/cache.js';
import { knownInventory, readInventory } from '../layers/inventory.js';
import { shadowedPaths } from '../layers/shadow.js';
import type { Needs } from '../oci/app.js';
import { type Layer, layersOf } from '../oci/image.js';
import { packageDelta } from '../oci/package-delta.js';
import type { Parts } from '../oci/parts.js';
import { lacking } from '../oci/rebase-checks.js';
import type { BaseChange, Shadowed } from '../oci/rebase-plan.js';
import { isFailure } from '../values/error.js';
import { step } from '../values/events.js';
import { type BaseFiles, baseFiles } from './base-provides.js';
import type { Tools } from './tools.js';

export interface CompareOptions {
  /** Read the layers of the base below the app, and those of an app of others, if need be, only to say what changes. */
  readonly tellAll: boolean;
  /** Packages may get older: nothing is read to find out. */
  readonly allowOlder: boolean;
  readonly cache: Cache;
  readonly tools: Tools;
}

/** Of an image of others nobody knows. */
const NONE: Needs = { paths: [], libraries: [], versions: {} };

/**
 * Compares the base below an app with the next one. Whatever a check must know of the old one is read, at any cost: its
 * packages, which must not get older; and when the next one lacks something, its files, since what neither has was missing
 * before and does not stop a rebase. So a plan and a rebase see the same. The list is kept: a fleet pays once.
 */
export async function compareBases(
  found: Pick<FoundImage, 'image' | 'blobs'>,
  { app, base }: Parts,
  next: BaseFiles,
  { tellAll, allowOlder, cache, tools }: CompareOptions,
): Promise<BaseChange> {
  const { needs = NONE } = app;
  const missing = lacking(needs, next);
  const layers = layersOf(found.image).slice(0, base.layers.length);
  const use = (name: string) => cache.use('inventories', name);
  const request = { directory: cache.inventories, use, layers, blobs: found.blobs, signal: tools.signal };
  const mustKnow = missing.length > 0 || (next.packages !== undefined && !allowOlder);
  const inventory =
    tellAll || mustKnow
      ? await step(tools.on, 'base', 'files', () => unlessUnreadable(layers, () => readInventory(request)))
      : await knownInventory(request);
  if (inventory === undefined) return { lost: missing };
  const old = baseFiles(inventory, found.image);
  const missedBefore = new Set(missing.length === 0 ? [] : lacking(needs, old));
  return {
    lost: missing.filter((name) => !missedBefore.has(name)),
    packages: old.packages && next.packages && packageDelta(old.packages, next.packages),
    shadowed: await shadowedBy(app, found.blobs, old, next, { tellAll, tools }),
  };
}

/**
 * Layers of ours touch nothing but what a base must leave free: they shadow nothing, and are not read. Those of others are
 * read where reading is cheap or asked for, unless one of them is kept elsewhere (`urls`).
 */
async function shadowedBy(
  { needs, layers }: Parts['app'],
  blobs: FoundImage['blobs'],
  old: BaseFiles,
  next: BaseFiles,
  { tellAll, tools }: Pick<CompareOptions, 'tellAll' | 'tools'>,
): Promise<readonly Shadowed[] | undefined> {
  if (needs !== undefined) return [];
  if (!tellAll) return undefined;
  const request = { before: old.inventory, after: next.inventory, layers, blobs, signal: tools.signal };
  return step(tools.on, 'base', 'shadowed files', () => unlessUnreadable(layers, () => shadowedPaths(request)));
}

/**
 * What is in layers is worth knowing, but no reason to stop: some are kept elsewhere (`urls`), and other tools take tars that
 * we would not.
 */
async function unlessUnreadable<T>(layers: readonly Layer[], read: () => Promise<T>): Promise<T | undefined> {
  if (layers.some(({ descriptor }) => descriptor.urls !== undefined)) return undefined;
  return read().catch((error: unknown) => {
    if (isFailure(error, 'ARCHIVE_INVALID', 'IMAGE_INVALID')) return undefined;
    throw error;
  });
}

import type { Digest } from '../values/digest.js';
import type { Platform } from '../values/platform.js';
import { type Change, configChanges } from './config-changes.js';
import { type Base, digestOfImage, type Image, type Layer, layersOf } from './image.js';
import type { PackageDelta } from './package-delta.js';
import type { Onto, Parts } from './parts.js';
import { type Check, checkRebase, type Waivers } from './rebase-checks.js';

/** What a rebase will do, or would. */
export interface RebasePlan {
  /** Of the image, which is one of an index or the only one. */
  readonly platform: Platform;
  /** Without a digest where nobody wrote it down. */
  readonly from: {
    readonly digest?: Digest | undefined;
    readonly name?: string | undefined;
    readonly created?: string | undefined;
  };
  readonly to: { readonly digest: Digest; readonly name?: string | undefined; readonly created?: string | undefined };
  /** Layers of the old base that go, of the new one that come, and how many of the app stay. */
  readonly layersOut: readonly Layer[];
  readonly layersIn: readonly Layer[];
  readonly layersKept: number;
  /** Settings of the image that change, and those that would if the app did not keep them, by name. */
  readonly changes: readonly Change[];
  /** Settings that the app and the new base have both changed; the app's stay. Only images of others have any. */
  readonly conflicts: readonly string[];
  /** What differs between the packages of the two bases; absent where that is not known. */
  readonly packages?: PackageDelta | undefined;
  /** What the new base changes and nobody will see, since layers of the app lie over it; absent where nobody has looked. */
  readonly shadowed?: readonly Shadowed[] | undefined;
  readonly checks: readonly Check[];
  /** True when the image stands on this base already. */
  readonly isNoop: boolean;
}

/** A file of the bases that a patch changes, and that the app's own layers hide. */
export interface Shadowed {
  readonly path: string;
  /** What the new base does with it. */
  readonly change: 'changed' | 'added' | 'removed';
  /** What the app's layers do with it. */
  readonly by: 'replaced' | 'deleted';
}

/** What a move takes from an app, and what it changes below it. */
export interface BaseChange {
  /** What the app refers to and only the base below it has. */
  readonly lost: readonly string[];
  /** Absent where one of the two has no list of packages, or the old one's is not at hand. */
  readonly packages?: PackageDelta | undefined;
  /** Absent where nobody has looked. */
  readonly shadowed?: readonly Shadowed[] | undefined;
}

/** Looks ahead: what moving this image to that base changes, where it is put `onto` it, and what speaks against it. */
export function planRebase(
  image: Image,
  { app, base: old }: Omit<Parts, 'onto'>,
  base: Base,
  { image: after, conflicts, overlaid = [] }: Onto,
  { lost, packages, shadowed }: BaseChange,
  waivers: Waivers,
): RebasePlan {
  const incoming = layersOf(base.image);
  const made = {
    before: createdOf(image, old.layers.length),
    after: createdOf(base.image, incoming.length) ?? base.image.config.value.created,
  };
  const stays = (layers: readonly Layer[]) => new Set(layers.map(({ diffId }) => diffId));
  const [oldIds, newIds] = [stays(old.layers), stays(incoming)];
  return {
    platform: app.platform,
    from: { digest: old.digest, name: old.name, created: made.before },
    to: { digest: digestOfImage(base.image), name: base.name, created: base.image.config.value.created },
    layersOut: old.layers.filter(({ diffId }) => !newIds.has(diffId)),
    layersIn: incoming.filter(({ diffId }) => !oldIds.has(diffId)),
    layersKept: app.layers.length,
    changes: configChanges(image, after, base.image, { conflicts, overlaid }),
    conflicts,
    packages,
    shadowed,
    checks: checkRebase(image, app, base, { lost, packages, made }, waivers),
    isNoop: digestOfImage(after) === digestOfImage(image),
  };
}

/** An image does not say when its base was made, but when the last layer of it was. */
function createdOf({ config }: Image, layers: number): string | undefined {
  const made = (config.value.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
  return made[layers - 1]?.created;
}

import type { Digest } from '../values/digest.js';
import type { Platform } from '../values/platform.js';
import type { App, Needs } from './app.js';
import { assemble } from './assemble.js';
import type { Base, Image, Layer } from './image.js';
import { split } from './split.js';

/** An image taken apart at its seam, whoever made it. */
export interface Parts {
  /** The base below it. The digest is missing where nobody wrote it down. */
  readonly base: {
    readonly name?: string | undefined;
    readonly digest?: Digest | undefined;
    readonly layers: readonly Layer[];
  };
  /** What stays the same on any base. What an app needs is known of images of ours alone. */
  readonly app: {
    readonly platform: Platform;
    readonly user: string;
    readonly layers: readonly Layer[];
    readonly needs?: Needs | undefined;
  };
  /**
   * The image on another base, with the settings that both it and that base have changed, and those that the app sets over
   * that base's: the app's stayed.
   */
  onto(base: Base): Onto;
}

/** An image on another base. */
export interface Onto {
  readonly image: Image;
  readonly conflicts: readonly string[];
  readonly overlaid?: readonly string[] | undefined;
}

/** An app of ours on another base. */
export function appOnto(app: App, base: Base): Onto {
  const { image, envCollisions } = assemble(base, app);
  return { image, conflicts: [], overlaid: envCollisions.map((name) => `Env ${name}`) };
}

/** The parts of an image of ours. Throws as `split`. */
export function ownParts(image: Image): Parts {
  const { app, base } = split(image);
  return { app, base, onto: (next) => appOnto(app, next) };
}

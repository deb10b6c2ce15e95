import { type Download, downloads } from '../http/download.js';
import type { Registries } from '../registry/access.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { type WithDefaults, withDefaults } from '../values/defaults.js';
import type { Listener } from '../values/events.js';

/** What a verb works with. A verb never prints, never exits and reads no clock and no environment but this one. */
export interface GivenTools {
  readonly sandbox: Sandbox;
  /** Hears what happens; nobody if absent. */
  readonly on?: Listener | undefined;
  /** PATH, to find git and other programs, and variables that name a CA bundle. Nothing of it reaches a build or an image. */
  readonly env: Readonly<Record<string, string>>;
  /** The way to registries; without it, places there are refused with `PLACE_UNSUPPORTED`. */
  readonly registries?: Registries | undefined;
  /** Gets tarballs of buildpacks; if absent, as `env` says, with nobody trusted but the known authorities. */
  readonly downloads?: Download | undefined;
  /** Aborts the work: it ends with `INTERRUPTED` and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

const nobody: Listener = () => undefined;

/** What a verb's steps work with: all is there that has a default. */
export type Tools = WithDefaults<GivenTools, Required<Pick<GivenTools, 'on' | 'downloads'>>>;

/** The tools that a verb was given, with the defaults of what was left out. */
export function settleTools(given: GivenTools): Tools {
  return withDefaults(given, { on: nobody, downloads: downloads({ env: given.env }) });
}

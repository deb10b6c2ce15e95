import type { Digest } from '../values/digest.js';
import type { Platform } from '../values/platform.js';
import type { Layer } from './image.js';

/** A layer of an app, with a name for people: `launcher`, `source`, `.heroku/node`. */
export interface AppLayer extends Layer {
  readonly name: string;
}

/** A buildpack that took part, with what pins it. */
export interface BuildpackRecord {
  readonly id: string;
  /** What its bin/detect called itself. */
  readonly name: string;
  /** A git commit, an SRI string or the digest of its tree. */
  readonly version: string;
}

/** What the app needs from the base it runs on, found by looking at its files; never what some base provided. */
export interface Needs {
  /** Absolute paths in the base that links and scripts of the app refer to. Sorted. */
  readonly paths: readonly string[];
  /** Shared libraries (sonames) that its ELF files ask for and that it does not bring. Sorted. */
  readonly libraries: readonly string[];
  /** Versions of symbols (`GLIBC_2.34`) that its ELF files ask for, by the library that is to have them. Sorted. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
}

/**
 * What a build makes and a rebase keeps: everything of an image that is not the base it runs on.
 *
 * It depends on the source, the buildpacks, the build base, the stack and the settings, never on the run base.
 */
export interface App {
  /** The version of the rules by which `assemble` turns this into an image. */
  readonly schema: 1;
  /** RFC 3339. The only time in an image. */
  readonly created: string;
  readonly platform: Platform;
  /** The value of STACK that the buildpacks saw. */
  readonly stack: string;
  readonly buildBase: {
    readonly digest: Digest;
    readonly name?: string;
    /** The digest of its list of installed packages: buildpacks such as apt leave out what the base has. */
    readonly packages?: Digest;
  };
  readonly buildpacks: readonly BuildpackRecord[];
  /** Process type to shell command. */
  readonly processes: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  readonly stopSignal: string;
  /** A sparse overlay over the base's environment: a value sets, null unsets. */
  readonly env: Readonly<Record<string, string | null>>;
  /** Labels of the app itself. */
  readonly labels: Readonly<Record<string, string>>;
  readonly needs: Needs;
  readonly layers: readonly AppLayer[];
}

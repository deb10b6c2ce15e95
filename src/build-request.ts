import { HEROKU_REGISTRY } from './buildpack/registry-name.js';
import { BUILD_DIR, type BuildDir } from './buildpack/workspace.js';
import type { NetworkMode } from './network/mode.js';
import type { PolicyRequest } from './steps/check-policy.js';
import type { DefaultBase } from './steps/default-base.js';
import { packageFile } from './system/own-files.js';
import { COMPRESSION_FORM, type Compression, isCompression } from './values/compression.js';
import { type WithDefaults, withDefaults } from './values/defaults.js';
import { fail } from './values/error.js';
import type { Platform } from './values/platform.js';

/** What to build, from what, and where to. */
export interface BuildRequest {
  /** The app's directory: absolute, or relative to `cwd`. */
  readonly source: string;
  /** What `source` and the buildpacks of this request are relative to; absolute. The app's directory if absent. */
  readonly cwd?: string | undefined;
  /** What the app runs on, as a place (`oci:DIR:run`). Without any base, see `defaultBase`. */
  readonly base?: string | undefined;
  /** What the app is built on. The run base if absent. */
  readonly buildBase?: string | undefined;
  /**
   * Without any base, what to use where the lock does not say: `heroku-24` is heroku/heroku:24 with heroku/heroku:24-build,
   * `debian-12` one that is bootstrapped and kept in the cache. If absent, the first, if its registry answers, else the second.
   */
  readonly defaultBase?: DefaultBase | undefined;
  /** Buildpacks in order; without any, the app's own list, else auto-detection among the bundled ones. */
  readonly buildpacks?: readonly string[] | undefined;
  /** Places to write the image to. Without any, the result alone has it. */
  readonly to?: readonly string[] | undefined;
  /** Files in ENV_DIR for the buildpacks. Never in the image. None if absent. */
  readonly configVars?: Readonly<Record<string, string>> | undefined;
  /** True environment of the buildpacks' scripts. None if absent. */
  readonly buildEnv?: Readonly<Record<string, string>> | undefined;
  /** STACK for the buildpacks; the build base's stack label if absent, else `heroku-24`. */
  readonly stack?: string | undefined;
  readonly platform: Platform;
  /** What network the buildpacks have. If absent, `egress`, or `host` where slirp4netns or iproute2 is not installed. */
  readonly network?: NetworkMode | undefined;
  /** `HOST:PORT` that buildpacks reach also on private addresses, as they do the proxies that the environment names. */
  readonly reachable?: readonly string[] | undefined;
  /** Where BUILD_DIR is for the buildpacks: `/tmp/build_app` if absent, or `/app`, with HOME elsewhere. */
  readonly buildDir?: BuildDir | undefined;
  /** Who the buildpacks' scripts run as: uid 1000, or 0 within the sandbox; `app` if absent. The image's user is 1000. */
  readonly buildUser?: 'app' | 'root' | undefined;
  /** Of the layers; `gzip` if absent. */
  readonly compression?: Compression | undefined;
  /** The image's time, RFC 3339; the source's commit time if absent, else 1980-01-01T00:00:01Z. */
  readonly created?: string | undefined;
  /** Labels of the image, kept by a rebase. None if absent. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Refuse to build if pack-build.lock would change. */
  readonly frozen?: boolean | undefined;
  /** Start with an empty CACHE_DIR. */
  readonly clearCache?: boolean | undefined;
  /** A malformed line of the Procfile is an error. */
  readonly strictProcfile?: boolean | undefined;
  /** Print the commands of the buildpacks' scripts (`BUILDPACK_XTRACE`). */
  readonly trace?: boolean | undefined;
  /** Take the values of config vars that have 8 bytes or more out of what buildpacks print. */
  readonly redact?: boolean | undefined;
  /** What the image must keep to, else nothing is written; anything goes if absent. */
  readonly policy?: PolicyRequest | undefined;
  /** How much of a thing there may be; as much as there is if absent. */
  readonly limits?: Limits | undefined;
  /** For one bin/compile, in milliseconds; 15 minutes if absent. */
  readonly compileTimeoutMs?: number | undefined;
  /** For one try to fetch a buildpack, in milliseconds; 90 seconds if absent. */
  readonly fetchTimeoutMs?: number | undefined;
  readonly cacheDir: string;
  /** The directory of the bundled buildpacks; those of this package if absent. */
  readonly bundledBuildpacks?: string | undefined;
  /** Below it are the tarballs of names such as `heroku/nodejs`, as `heroku/nodejs.tgz`; Heroku's public registry if absent. */
  readonly buildpackRegistry?: string | undefined;
}

/** Sizes in bytes, and a number, each without a limit if absent (R32). */
export interface Limits {
  /** Of all processes of one script together. `MEMORY_EXCEEDED`. */
  readonly memoryBytes?: number | undefined;
  /** Of one script: processes and threads at once. `PROCESSES_EXCEEDED`. */
  readonly processes?: number | undefined;
  /** Of the source's files, as the buildpacks get them. Refused with `SOURCE_TOO_LARGE` before anything is built. */
  readonly sourceBytes?: number | undefined;
  /** Of the app's layers as they are stored. Refused with `APP_TOO_LARGE` before the image is written. */
  readonly appBytes?: number | undefined;
  /** Of what one script of a buildpack prints. The rest of it is not passed on, with the notice `LOG_CUT`. */
  readonly logBytes?: number | undefined;
}

/** What `detect` needs of a build's request. */
export type DetectRequest = Pick<
  BuildRequest,
  | 'source'
  | 'cwd'
  | 'base'
  | 'buildBase'
  | 'defaultBase'
  | 'buildpacks'
  | 'configVars'
  | 'buildEnv'
  | 'stack'
  | 'platform'
  | 'network'
  | 'reachable'
  | 'buildDir'
  | 'buildUser'
  | 'redact'
  | 'limits'
  | 'frozen'
  | 'fetchTimeoutMs'
  | 'cacheDir'
  | 'bundledBuildpacks'
  | 'buildpackRegistry'
>;

/** A request of which all is there that has a default. */
export function settle<T extends DetectRequest>(request: T): WithDefaults<T, typeof DEFAULTS> {
  const settled = withDefaults(request, DEFAULTS);
  requireCompression(settled.compression as string);
  return settled;
}

function requireCompression(given: string): void {
  if (isCompression(given)) return;
  throw fail('CONFIG_INVALID', {
    what: `\`compression\` must be ${COMPRESSION_FORM}`,
    why: `it is ${JSON.stringify(given)}`,
  });
}

const DEFAULTS = {
  buildpacks: [] as readonly string[],
  to: [] as readonly string[],
  configVars: {} as Readonly<Record<string, string>>,
  buildEnv: {} as Readonly<Record<string, string>>,
  labels: {} as Readonly<Record<string, string>>,
  reachable: [] as readonly string[],
  buildDir: BUILD_DIR,
  buildUser: 'app' as 'app' | 'root',
  compression: 'gzip' as Compression,
  frozen: false as boolean,
  clearCache: false as boolean,
  strictProcfile: false as boolean,
  trace: false as boolean,
  redact: false as boolean,
  limits: {} as Limits,
  buildpackRegistry: HEROKU_REGISTRY,
  bundledBuildpacks: packageFile('buildpacks'),
};

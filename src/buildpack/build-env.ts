import { fail } from '../values/error.js';
import { quoted } from './notice.js';
import { INSIDE } from './workspace.js';

export interface BuildEnvInput {
  readonly stack: string;
  /** The commit of the source; empty when there is none. */
  readonly sourceVersion: string;
  /** Derived from the inputs of the build, so that it is constant for equal inputs. */
  readonly requestId: string;
  /** The base's own PATH. Entries under /app are dropped. */
  readonly path?: string | undefined;
  /** The name of /app for the scripts; another only without isolation. */
  readonly app?: string | undefined;
  /** HOME; /app if absent. */
  readonly home?: string | undefined;
  /** Who scripts run as; `app` if absent. */
  readonly user?: 'app' | 'root' | undefined;
  /** Variables that name certificate files: `SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`, ... */
  readonly certificates?: Readonly<Record<string, string>> | undefined;
  /** `--build-env`: real environment of the scripts, over all else. */
  readonly buildEnv?: Readonly<Record<string, string>> | undefined;
}

/** 1980-01-01T00:00:01Z: with it, Python and others write files that do not depend on the time (R96). Zip knows no earlier. */
export const SOURCE_DATE_EPOCH = '315532801';

/**
 * As root, tar gives files the owners that an archive names; the sandbox has one user only, and tar would fail.
 */
const ROOT_ENV = { TAR_OPTIONS: '--no-same-owner' };

/** Where programs are when the base's config has no PATH. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of detect, compile, release and report (R33 to R38): it starts empty, so nothing of the caller's leaks in,
 * and config vars are not in it. `--build-env` may set anything but `HOME` and `APP_DIR`, which must agree with the
 * directories of the sandbox. Throws `ENV_INVALID`.
 */
export function makeBuildEnv(input: BuildEnvInput): Readonly<Record<string, string>> {
  const { app = INSIDE.app, home = app } = input;
  return {
    PATH: systemPath(input.path, app),
    HOME: home,
    APP_DIR: app,
    STACK: input.stack,
    SOURCE_VERSION: input.sourceVersion,
    REQUEST_ID: input.requestId,
    CURL_CONNECT_TIMEOUT: '30',
    CURL_TIMEOUT: '180',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH,
    ...(input.user === 'root' ? ROOT_ENV : {}),
    ...input.certificates,
    ...checkBuildEnv(input.buildEnv ?? {}),
  };
}

/** No entry under the app's directory (R34), no relative and no empty one. */
function systemPath(path: string | undefined, app: string): string {
  const isApp = (entry: string) =>
    entry === app || entry.startsWith(`${app}/`) || entry === '/app' || entry.startsWith('/app/');
  const entries = (path ?? '').split(':').filter((entry) => entry.startsWith('/') && !isApp(entry));
  return entries.length === 0 ? DEFAULT_PATH : entries.join(':');
}

/** Checks what `--build-env` may set, and returns it. Throws `ENV_INVALID`. */
export function checkBuildEnv(vars: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(vars)) {
    if (name === 'HOME' || name === 'APP_DIR') {
      throw fail('ENV_INVALID', {
        what: `--build-env cannot set ${name}`,
        why: 'it names a directory of the sandbox',
        fix: `remove --build-env ${name}=...`,
      });
    }
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
      throw fail('ENV_INVALID', {
        what: `--build-env ${quoted(name)} is not an environment variable`,
        why: 'a name is not empty and contains neither `=` nor NUL; a value contains no NUL',
        fix: 'write --build-env NAME=VALUE',
      });
    }
  }
  return vars;
}

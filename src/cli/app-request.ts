import { resolve } from 'node:path';
import type { DetectRequest, Limits } from '../build-request.js';
import { COMPILE_TIMEOUT_MS } from '../buildpack/compile.js';
import type { BuildDir } from '../buildpack/workspace.js';
import { hostsOfUrls } from '../network/endpoint.js';
import type { NetworkMode } from '../network/mode.js';
import type { ProjectSettings } from '../settings/project-file.js';
import { appSettings } from '../steps/app-settings.js';
import { DEFAULT_BASES, type DefaultBase } from '../steps/default-base.js';
import { fail } from '../values/error.js';
import { parsePlatform } from '../values/platform.js';
import { readConfigVars } from './config-vars.js';
import { fromEnv, hostPlatform, secondsFromEnv } from './environment.js';
import type { CommonFlags, Session } from './session.js';

/** Flags of the commands that look at an app. */
export interface AppFlags extends CommonFlags {
  readonly base?: string;
  readonly buildBase?: string;
  readonly buildpack?: readonly string[];
  readonly buildpackRegistry?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: readonly string[];
  readonly buildEnv?: Readonly<Record<string, string>>;
  readonly stack?: string;
  readonly platform?: string;
  readonly network?: NetworkMode;
  readonly reach?: readonly string[];
  readonly buildDir?: BuildDir;
  readonly buildUser?: 'app' | 'root';
  readonly redact?: boolean;
  readonly maxSource?: number;
  readonly maxApp?: number;
  readonly maxLog?: number;
  readonly maxMemory?: number;
  readonly maxProcesses?: number;
  readonly compileTimeout?: number;
  readonly frozen?: boolean;
}

/**
 * What to do with the app in a directory: as the flags say, and as its own settings say where no flag does. An app can take
 * the network away, not give it. Throws `USAGE`, `ENV_INVALID`, `CONFIG_INVALID`.
 */
export async function appRequest(
  dir: string,
  flags: AppFlags,
  { cwd, cacheDir, tools }: Session,
): Promise<{ readonly request: DetectRequest; readonly app: ProjectSettings }> {
  if (dir === '') {
    throw fail('USAGE', {
      what: "the name of the app's directory is empty",
      fix: 'name it, or `.` for this directory',
    });
  }
  const source = resolve(cwd, dir);
  const app = await appSettings(source);
  const request: DetectRequest = {
    source,
    cwd,
    base: flags.base ?? app.base,
    buildBase: flags.buildBase ?? (flags.base === undefined ? app.buildBase : undefined),
    defaultBase: defaultBaseFromEnv(),
    buildpacks: flags.buildpack ?? app.buildpacks,
    buildpackRegistry: flags.buildpackRegistry ?? fromEnv('PACK_BUILD_BUILDPACK_REGISTRY'),
    configVars: { ...app.env, ...(await readConfigVars(flags, tools.on)) },
    buildEnv: { ...app.buildEnv, ...flags.buildEnv },
    stack: flags.stack ?? app.stack,
    platform: flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform),
    network: app.network ?? flags.network,
    reachable: [...(flags.reach ?? []), ...hostsOfUrls(Object.values(flags.buildEnv ?? {}))],
    buildDir: flags.buildDir ?? app.buildDir,
    buildUser: flags.buildUser ?? app.buildUser,
    redact: flags.redact ?? app.redact,
    limits: limitsOf(flags, app),
    frozen: flags.frozen,
    fetchTimeoutMs: secondsFromEnv('BUILDPACK_FETCH_TIMEOUT'),
    cacheDir,
  };
  return { request, app };
}

function defaultBaseFromEnv(): DefaultBase | undefined {
  const text = fromEnv('PACK_BUILD_DEFAULT_BASE');
  const found = DEFAULT_BASES.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw fail('USAGE', {
    what: `PACK_BUILD_DEFAULT_BASE is ${JSON.stringify(text)}`,
    why: `it must be one of ${DEFAULT_BASES.join(', ')}`,
  });
}

/** Time is limited also when nobody says so: an app can ask for less of it, not for more. Throws `USAGE`. */
export function compileTimeoutMs(flags: AppFlags, app: ProjectSettings): number {
  const allowed = flags.compileTimeout ?? secondsFromEnv('COMPILE_TIMEOUT') ?? COMPILE_TIMEOUT_MS;
  return Math.min(allowed, app.compileTimeoutMs ?? allowed);
}

/** An app can lower a limit of the caller's, not raise it. */
function limitsOf(flags: AppFlags, app: ProjectSettings): Limits {
  return {
    sourceBytes: lower(flags.maxSource, app.maxSource),
    appBytes: lower(flags.maxApp, app.maxApp),
    memoryBytes: flags.maxMemory,
    processes: flags.maxProcesses,
    logBytes: lower(flags.maxLog, app.maxLog),
  };
}

/** The lower of two limits, of which each may be absent. */
function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

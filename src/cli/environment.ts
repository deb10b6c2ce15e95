import { homedir } from 'node:os';
import { join } from 'node:path';
import { bubblewrap } from '../sandbox/bubblewrap.js';
import { hostSandbox } from '../sandbox/host.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { fail } from '../values/error.js';
import type { Listener } from '../values/events.js';
import type { Platform } from '../values/platform.js';

/** The environment with absent variables left out. */
export function processEnv(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A variable, unless it is absent or empty. */
export function fromEnv(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** `--cache-dir`, else PACK_BUILD_CACHE_DIR, else where the XDG base directory specification says. */
export function cacheDirectory(flag: string | undefined): string {
  const { PACK_BUILD_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = process.env;
  return flag ?? (own || join(xdg?.startsWith('/') ? xdg : join(homedir(), '.cache'), 'pack-build'));
}

/** The platform of this machine, in the words of the image-spec. */
export function hostPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  return { os: 'linux', architecture: names[process.arch] ?? process.arch };
}

/** The sandbox that `--sandbox` names. Throws `USAGE`. */
export function sandboxFor(kind: string, on: Listener): Sandbox {
  if (kind === 'auto' || kind === 'bwrap') return bubblewrap({ env: processEnv() });
  if (kind === 'host') {
    on({
      type: 'notice',
      code: 'SANDBOX_HOST',
      message:
        '--sandbox host: the app and its buildpacks run as you, with your files and your network; nothing holds them back',
    });
    return hostSandbox();
  }
  throw fail('USAGE', { what: `there is no sandbox ${kind}`, fix: 'use --sandbox auto, bwrap or host' });
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org) as RFC 3339. Throws `USAGE`. */
export function sourceDateEpoch(): string | undefined {
  const text = process.env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  const seconds = /^\d{1,11}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(seconds))
    throw fail('USAGE', {
      what: `SOURCE_DATE_EPOCH is ${JSON.stringify(text)}`,
      why: 'it must be a number of seconds since 1970',
    });
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** A number of seconds from the environment, in milliseconds. Throws `USAGE`. */
export function secondsFromEnv(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw fail('USAGE', { what: `${name} is ${JSON.stringify(text)}`, why: 'it must be a number of seconds' });
  return Number(text) * 1000;
}

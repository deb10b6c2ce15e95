import { type Download, downloads } from '../http/download.js';
import { type Registries, registries } from '../registry/access.js';
import { fail } from '../values/error.js';
import type { Listener } from '../values/events.js';
import { processEnv } from './environment.js';

/** Flags that say how registries are reached. */
export interface RegistryFlags {
  readonly authfile?: string;
  readonly insecureRegistry?: readonly string[];
  readonly caCert?: readonly string[];
  readonly trustHost?: readonly string[];
  readonly registryMirror?: readonly string[];
}

/** The ways to registries, and to the tarballs of buildpacks, that the flags and the environment describe. Throws `USAGE`. */
export function networkAccess(
  flags: RegistryFlags,
  on: Listener,
  signal: AbortSignal,
): { readonly registries: Registries; readonly downloads: Download } {
  const reach = {
    env: processEnv(),
    trusted: (flags.trustHost ?? []).map((text) => hostIn(text, '--trust-host')),
    authorities: flags.caCert,
    signal,
  };
  const access = registries({
    ...reach,
    authFile: flags.authfile,
    insecure: (flags.insecureRegistry ?? []).map((text) => hostIn(text, '--insecure-registry')),
    mirrors: mirrorsIn(flags.registryMirror ?? []),
    on,
  });
  return { registries: access, downloads: downloads(reach) };
}

function mirrorsIn(texts: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const mirrors: Record<string, string[]> = {};
  for (const text of texts) {
    const [host = '', mirror = '', ...more] = text.split('=');
    const of = hostIn(more.length > 0 ? '' : host, '--registry-mirror', 'HOST=MIRROR');
    mirrors[of] = [...(mirrors[of] ?? []), hostIn(mirror, '--registry-mirror', 'HOST=MIRROR')];
  }
  return mirrors;
}

function hostIn(text: string, flag: string, form = 'HOST or HOST:PORT'): string {
  const host = text.toLowerCase();
  if (/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$/.test(host)) return host;
  throw fail('USAGE', {
    what: `${flag} ${JSON.stringify(text)} does not name a host`,
    fix: `write it as ${flag} ${form}, such as ${form.includes('=') ? 'docker.io=mirror.example:5000' : 'registry.example:5000'}`,
  });
}

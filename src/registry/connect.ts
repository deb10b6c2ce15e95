import { secureWith } from '../http/certificates.js';
import { http } from '../http/http.js';
import { HTTP_TUNING } from '../http/tuning.js';
import { type Client, clientWith } from './client.js';
import { credentialsFrom } from './credentials.js';
import { aliasesOf } from './name.js';
import type { RegistryOptions, Tuning } from './options.js';

const TUNING: Tuning = { ...HTTP_TUNING, chunkSize: 8 * 1024 * 1024, quickMs: 3000 };

export function tuningOf({ tuning }: RegistryOptions): Tuning {
  return { ...TUNING, ...tuning };
}

/** A client as these options want it. It talks to nobody yet. */
export function connect(options: RegistryOptions): Client {
  const { env, insecure = [], trusted = [] } = options;
  const tuning = tuningOf(options);
  const isInsecure = (host: string) => insecure.includes(host);
  const isTrusted = (url: URL) => trusted.includes(url.host);
  const named = new Set<string>();
  const client = clientWith({
    http: http({
      env,
      ...tuning,
      isNamed: (url) => named.has(url.host) || isInsecure(url.host) || isTrusted(url),
      secureFor: secureWith(options, aliasesOf),
    }),
    find: credentialsFrom({ authFile: options.authFile, env, signal: options.signal }),
    rules: tuning,
    parallel: tuning.parallel,
    isInsecure,
    isTrusted,
  });
  return {
    ...client,
    call: (call) => {
      // A registry that the user named may be anywhere.
      if (!call.isHint) named.add(client.baseOf(call.host).host);
      return client.call(call);
    },
  };
}

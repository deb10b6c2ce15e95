import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import type { Registries } from './access.js';
import type { Artifact } from './artifact.js';
import { connect, tuningOf } from './connect.js';
import { documents } from './documents.js';
import { findLogins } from './logins.js';
import { lookUps } from './look-up.js';
import { mounts } from './mounts.js';
import { parseHost, parseName } from './name.js';
import type { RegistryOptions } from './options.js';
import { ping } from './ping.js';
import { readAttached } from './read-attached.js';
import { attachArtifact, listReferrers } from './referrers.js';
import { registrySource } from './source.js';
import { registryTarget } from './target.js';

/** How long somebody who waits for the answer to a ping may have to wait. */
const PING_MS = 10_000;

/** Reaches registries as these options say. */
export function openSession(options: RegistryOptions): Registries {
  const client = connect(options);
  const known = { mounts: mounts(), documents: documents() };
  const { signal, mirrors = {}, on = () => undefined } = options;
  const { chunkSize, quickMs } = tuningOf(options);
  const lookUp = lookUps({ client, mirrors, quickMs, signal });
  const repositoryOf = (reference: string, isHint?: boolean) => {
    const { host, repository } = parseName(reference);
    return { client, host, repository, isHint, signal };
  };
  return {
    source: (reference, store, how) => {
      const name = parseName(reference);
      const asked = how?.isMoved ? [] : (mirrors[name.host] ?? []);
      return registrySource(name, { client, store, ...known, mirrors: asked, ...how, on, signal });
    },
    target: (reference, how) =>
      registryTarget(parseName(reference), { client, ...known, ...how, on, chunkSize, signal }),
    digestOf: async (reference, how) => lookUp(parseName(reference), how),
    attach: (reference: string, subject: Descriptor, artifact: Artifact) =>
      attachArtifact(repositoryOf(reference), subject, artifact),
    attached: (reference, request, how) => readAttached(repositoryOf(reference, how?.isHint), request),
    referrers: (reference: string, subject: Digest) => listReferrers(repositoryOf(reference), subject),
    ping: async (host) => ping(parseHost(host), { client, ms: PING_MS, signal }),
    logins: async (hosts) => findLogins(hosts.map(parseHost), options),
  };
}

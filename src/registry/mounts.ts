import type { Image } from '../oci/image.js';
import type { Digest } from '../values/digest.js';

/** Which repositories hold which blobs, as far as we have seen: from there they can be mounted instead of being sent. */
export interface Mounts {
  readonly learn: (where: { readonly host: string; readonly repository: string }, image: Image) => void;
  /** Repositories of this registry that have the blob. */
  readonly sourcesOf: (host: string, digest: Digest) => readonly string[];
}

/** What of many images is remembered: so many blobs, the latest ones, and of each so many repositories. */
const MOST_BLOBS = 4096;
const MOST_REPOSITORIES = 4;

export function mounts(): Mounts {
  const seen = new Map<string, Set<string>>();
  return {
    learn: ({ host, repository }, { manifest, config }) => {
      for (const { digest } of [...manifest.value.layers, config.descriptor]) {
        const key = `${host} ${digest}`;
        const known = seen.get(key) ?? new Set();
        if (known.size < MOST_REPOSITORIES) known.add(repository);
        seen.delete(key);
        seen.set(key, known);
      }
      for (const oldest of seen.keys()) {
        if (seen.size <= MOST_BLOBS) break;
        seen.delete(oldest);
      }
    },
    sourcesOf: (host, digest) => [...(seen.get(`${host} ${digest}`) ?? [])],
  };
}

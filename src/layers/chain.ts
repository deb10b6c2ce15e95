import { type DiffId, type Digest, digestOf } from '../values/digest.js';

/** The digest of a stack of layers, lowest first (image-spec, config.md, Layer ChainID). Throws for no layers at all. */
export function chainId(diffIds: readonly DiffId[]): Digest {
  return diffIds
    .map((diffId) => diffId as string as Digest)
    .reduce((below, diffId) => digestOf(Buffer.from(`${below} ${diffId}`)));
}

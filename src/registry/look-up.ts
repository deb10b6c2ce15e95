import type { Digest } from '../values/digest.js';
import { isFailure } from '../values/error.js';
import type { GlanceOptions } from './access.js';
import type { Call, Client } from './client.js';
import { digestOfTag } from './head.js';
import type { ImageName } from './name.js';
import { within } from './within.js';

export interface LookUpOptions {
  readonly client: Client;
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** How long a quick look may take, in milliseconds. */
  readonly quickMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Tells what a tag stands for now. */
export type LookUp = (name: ImageName, how?: GlanceOptions) => Promise<Digest | undefined>;

/**
 * Looks up tags with one HEAD, at the mirrors first, which are passed over as they are when an image is read. A quick look is
 * tried once, and what did not answer is not asked quickly again.
 */
export function lookUps({ client, mirrors, quickMs, signal }: LookUpOptions): LookUp {
  const silent = new Map<string, unknown>();
  const ask = async (name: ImageName, isHint: boolean | undefined, more: Partial<Call>) => {
    const { repository, tag = 'latest' } = name;
    for (const host of mirrors[name.host] ?? []) {
      const found = await digestOfTag({ client, host, repository, signal }, tag, more).catch((error: unknown) => {
        if (more.signal?.aborted || !isFailure(error)) throw error;
        return undefined;
      });
      if (found !== undefined) return found;
    }
    return digestOfTag({ client, host: name.host, repository, isHint, signal }, tag, more);
  };
  return async (name, { isHint, isQuick } = {}) => {
    if (!isQuick) return ask(name, isHint, { signal });
    if (silent.has(name.host)) throw silent.get(name.host);
    return within(quickMs, name.host, signal, (limited) => ask(name, isHint, { once: true, signal: limited })).catch(
      (failure: unknown) => {
        if (isFailure(failure, 'REGISTRY_TIMEOUT', 'REGISTRY_UNREACHABLE')) silent.set(name.host, failure);
        throw failure;
      },
    );
  };
}

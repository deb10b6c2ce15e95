import type { Call, Client } from './client.js';
import { within } from './within.js';

export interface PingOptions {
  readonly client: Client;
  /** How long it may take, in milliseconds. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a registry whether it is one (distribution-spec, end-1), once, and again as whom it wants us to be. Throws `REGISTRY_UNAUTHORIZED` and what else registries are refused for.
 */
export async function ping(host: string, { client, ms, signal }: PingOptions): Promise<void> {
  await within(ms, host, signal, async (limited) => {
    const call: Call = {
      host,
      repository: '',
      scopes: [],
      method: 'GET',
      at: '',
      doing: 'in',
      once: true,
      signal: limited,
    };
    const answer = await client.call(call);
    if (answer.status !== 200) throw await client.refused(answer, call);
    await answer.drop();
  });
}

import type { Cache } from '../cache/cache.js';
import { proxiesOf } from '../network/endpoint.js';
import { type NetworkMode, requireNetworkMode } from '../network/mode.js';
import { missingFor, proxyVariables, withPrivateNetwork } from '../network/open.js';
import { collectReached, type Reached } from '../network/reached.js';
import type { SandboxNetwork } from '../sandbox/sandbox.js';
import { installCommand } from '../system/tools.js';
import { fail, isFailure } from '../values/error.js';
import type { Tools } from './tools.js';

/** The network of a build. */
export interface BuildNetwork {
  readonly of: SandboxNetwork;
  /** What scripts are told of it. */
  readonly env: Readonly<Record<string, string>>;
  readonly mode: NetworkMode;
  /** What was reached or refused until now, as far as we see it: nothing of `host`. */
  readonly reached: () => readonly Reached[];
}

interface NetworkRequest {
  readonly network?: NetworkMode | undefined;
  readonly reachable: readonly string[];
}

/**
 * Runs `work` with the network that was asked for. Nobody having asked, that is `egress`, or this machine's own where there
 * is no program to make it with, which a notice tells. Throws `NETWORK_UNAVAILABLE`, `CONFIG_INVALID`.
 */
export async function withNetwork<T>(
  request: NetworkRequest,
  cache: Cache,
  tools: Tools,
  work: (network: BuildNetwork) => Promise<T>,
): Promise<T> {
  requireNetworkMode(request.network);
  const mode = await chooseMode(request.network, tools);
  const reached = collectReached(({ host, outcome }) => tools.on({ type: 'reach', host, outcome }));
  const about = { mode, env: proxyVariables(mode), reached: reached.all };
  if (mode === 'host' || mode === 'none') return await work({ ...about, of: mode });
  const reachable = [...request.reachable, ...proxiesOf(tools.env)];
  const options = { env: tools.env, parent: cache.work, reachable, reached: reached.add, signal: tools.signal };
  let began = false;
  const begin = (of: SandboxNetwork) => {
    began = true;
    return work({ ...about, of });
  };
  try {
    return await withPrivateNetwork(mode, options, begin);
  } catch (error) {
    if (request.network !== undefined || began || !isFailure(error, 'NETWORK_UNAVAILABLE')) throw error;
    tellOfHost(`it cannot be kept apart here (${error.why})`, undefined, tools);
    return await work({ ...about, mode: 'host', of: 'host' });
  }
}

function tellOfHost(why: string, fix: string | undefined, { on }: Tools): void {
  const cure = fix === undefined ? 'name --network host' : `${fix}, or name --network host`;
  const message = `buildpacks have this machine's own network, private addresses included: ${why}; ${cure}`;
  on({ type: 'notice', code: 'NETWORK_HOST', message });
}

async function chooseMode(asked: NetworkMode | undefined, tools: Tools): Promise<NetworkMode> {
  const mode = asked ?? 'egress';
  if (mode === 'host' || mode === 'none') return mode;
  if (tools.sandbox.kind === 'host') {
    if (asked === undefined) return 'host';
    throw fail('NETWORK_UNAVAILABLE', {
      what: `--network ${mode} takes a sandbox`,
      why: 'with --sandbox host, programs have the network of this machine',
      fix: 'leave one of the two out',
    });
  }
  const missing = await missingFor(mode, tools.env['PATH']);
  if (missing.length === 0) return mode;
  const install = installCommand(...missing);
  if (asked === undefined) {
    tellOfHost(`${missing.join(' and ')} not installed`, install, tools);
    return 'host';
  }
  throw fail('NETWORK_UNAVAILABLE', {
    what: `--network ${mode} cannot be had here`,
    why: `not installed: ${missing.join(', ')}`,
    fix: `${install}; or use --network none, or --network host if you trust the app and its buildpacks`,
  });
}

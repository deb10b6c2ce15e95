import { readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { PrivateNetwork } from '../sandbox/sandbox.js';
import { codeFile } from '../system/own-files.js';
import { runProcess } from '../system/process.js';
import { withTempDir } from '../system/tempdir.js';
import { findProgram, requireProgram } from '../system/tools.js';
import { fail } from '../values/error.js';
import { type Endpoint, nameServers, privateEndpoints } from './endpoint.js';
import { allowedHosts, type NetworkMode } from './mode.js';
import { allowProxy } from './proxy.js';
import type { Reached } from './reached.js';
import { listenIn, openRelay } from './relay.js';
import { barrierCommands, loopbackCommands } from './routes.js';

export interface NetworkOptions {
  /** Where PATH comes from. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the directory with the sockets is made. */
  readonly parent: string;
  /** `HOST:PORT` of the operator's own: reached though it is on a private address, or this machine. */
  readonly reachable: readonly string[];
  readonly reached: (reached: Reached) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where builds find the proxy of `allow=`. */
const PROXY_AT: Endpoint = { kind: 'tcp', address: '127.0.0.1', port: 3128 };

/** The variables by which programs find the proxy, in both spellings that are in use. */
export function proxyVariables(mode: NetworkMode): Readonly<Record<string, string>> {
  if (allowedHosts(mode).length === 0) return {};
  const url = `http://${PROXY_AT.address}:${PROXY_AT.port}`;
  const names = { http_proxy: url, https_proxy: url, no_proxy: 'localhost,127.0.0.1,::1' };
  return { ...names, ...Object.fromEntries(Object.entries(names).map(([name, value]) => [name.toUpperCase(), value])) };
}

/** The programs that a network of this mode takes and that PATH does not have. */
export async function missingFor(mode: NetworkMode, path: string | undefined): Promise<readonly string[]> {
  const needed = mode === 'egress' ? ['slirp4netns', 'ip', 'nsenter', 'unshare'] : ['ip', 'nsenter', 'unshare'];
  const found = await Promise.all(needed.map((name) => findProgram(name, pathWithSbin(path))));
  return needed.filter((_, at) => found[at] === undefined);
}

/**
 * Runs `work` with a network of its own, which ends with it: namespaces held by a helper, and with `egress` slirp4netns, a
 * network stack of an ordinary program. Throws `NETWORK_UNAVAILABLE`.
 */
export async function withPrivateNetwork<T>(
  mode: NetworkMode,
  options: NetworkOptions,
  work: (network: PrivateNetwork) => Promise<T>,
): Promise<T> {
  return await withTempDir('network', options.parent, async (dir) => {
    const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    const isEgress = mode === 'egress';
    const endpoints = isEgress ? [...(await nameServers()), ...(await privateEndpoints(options.reachable, own))] : [];
    const relay = await openRelay(dir, { endpoints, reached: options.reached });
    const proxy = allowProxy({ allowed: allowedHosts(mode), trusted: options.reachable, reached: options.reached });
    if (!isEgress) await listenIn(dir, 'proxy', proxy);
    const listen = isEgress ? endpoints : [{ ...PROXY_AT, proxy: true }];
    try {
      return await withHolder(dir, options, async (holder) => {
        await configure(holder.pid, loopbackCommands(endpoints), options);
        const start = async () => {
          if (isEgress) await configure(holder.pid, barrierCommands(own), options);
          await holder.listen(listen);
          return await work({ pid: holder.pid });
        };
        return isEgress ? await withSlirp(holder.pid, options, start) : await start();
      });
    } finally {
      await relay.close();
      proxy.closeAllConnections();
      proxy.close();
    }
  });
}

interface Holder {
  readonly pid: number;
  listen(endpoints: readonly (Endpoint & { readonly proxy?: boolean })[]): Promise<void>;
}

/** Starts the helper in namespaces of its own, which it holds until its input ends. */
async function withHolder<T>(dir: string, options: NetworkOptions, work: (holder: Holder) => Promise<T>): Promise<T> {
  const input = queueOf<string>();
  const said = queueOf<string>();
  const node = await readlink('/proc/self/exe');
  const helper = runProcess({
    file: await program('unshare', options),
    args: ['--user', '--map-root-user', '--net', '--', node, codeFile('network/helper.js')],
    cwd: dir,
    env: {},
    stdin: encoded(input.values()),
    maxCapture: 0,
    onOutput: (chunk, stream) => {
      if (stream === 'stdout') for (const line of Buffer.from(chunk).toString().split('\n')) if (line) said.add(line);
    },
    signal: options.signal,
    graceMs: 200,
  });
  const ended = helper.then(({ lastLines }) => {
    throw unavailable(lastLines.at(-1) ?? 'the helper ended at once');
  });
  ended.catch(() => undefined);
  try {
    const pid = Number(await Promise.race([said.next(), ended]));
    return await work({
      pid,
      listen: async (endpoints) => {
        input.add(`${JSON.stringify(endpoints)}\n`);
        await Promise.race([said.next(), ended]);
      },
    });
  } finally {
    input.end();
    await helper.catch(() => undefined);
  }
}

/** Starts slirp4netns, which ends when its exit descriptor is closed: with us, however we end. */
async function withSlirp<T>(pid: number, options: NetworkOptions, work: () => Promise<T>): Promise<T> {
  const stay = queueOf<string>();
  // To close the descriptor when we end in good order, Node would only end its own half.
  const stop = new AbortController();
  const ready = queueOf<string>();
  const stack = runProcess({
    file: await program('slirp4netns', options),
    args: [
      ...['--configure', '--mtu=65520', '--disable-host-loopback', '--disable-dns', '--exit-fd=3', '--ready-fd=4'],
      ...[`--userns-path=/proc/${pid}/ns/user`, '--netns-type=path', `/proc/${pid}/ns/net`, 'tap0'],
    ],
    cwd: '/',
    env: {},
    maxCapture: 0,
    descriptors: [
      { fd: 3, give: encoded(stay.values()) },
      { fd: 4, take: ({ reader }) => void reader.on('data', (chunk: Buffer) => ready.add(chunk.toString())) },
    ],
    signal: stop.signal,
    abortIsExit: true,
    graceMs: 500,
  });
  const ended = stack.then(({ lastLines }) => {
    throw unavailable(lastLines.join('\n') || 'slirp4netns ended at once');
  });
  ended.catch(() => undefined);
  try {
    await Promise.race([ready.next(), ended]);
    return await work();
  } finally {
    stop.abort();
    stay.end();
    await stack.catch(() => undefined);
  }
}

async function configure(pid: number, commands: readonly string[], options: NetworkOptions): Promise<void> {
  const { code, lastLines } = await runProcess({
    file: await program('nsenter', options),
    args: [...enterArguments({ pid }), '--', await program('ip', options), '-batch', '-'],
    cwd: '/',
    env: {},
    stdin: commands.map((line) => `${line}\n`).join(''),
    signal: options.signal,
  });
  if (code !== 0) throw unavailable(`ip: ${lastLines.join('; ')}`);
}

/** The options of nsenter(1) that lead into the network. */
function enterArguments({ pid }: PrivateNetwork): readonly string[] {
  return ['--preserve-credentials', `--user=/proc/${pid}/ns/user`, `--net=/proc/${pid}/ns/net`];
}

function program(name: string, { env }: NetworkOptions): Promise<string> {
  return requireProgram(name, pathWithSbin(env['PATH']));
}

/** Ordinary users of Debian have no /usr/sbin on their PATH, where `ip` is. */
function pathWithSbin(path: string | undefined): string {
  return `${path ?? '/usr/bin'}:/usr/sbin:/sbin`;
}

function unavailable(why: string) {
  return fail('NETWORK_UNAVAILABLE', {
    what: 'the network of the build could not be made',
    why,
    fix: 'see that /dev/net/tun exists and that namespaces are allowed; or use --network none, or --network host if you trust the app and its buildpacks',
  });
}

/** Values that one side adds and the other waits for, until the end. */
function queueOf<T>() {
  const waiting: T[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  const changed = () => new Promise<void>((resolve) => (wake = resolve));
  async function* values(): AsyncGenerator<T> {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift() as T;
      if (ended) return;
      await changed();
    }
  }
  return {
    add: (value: T) => {
      waiting.push(value);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    next: async (): Promise<T | undefined> => {
      while (waiting.length === 0 && !ended) await changed();
      return waiting.shift();
    },
    values,
  };
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startCountingProxy, type Traffic } from '../../test/support/counting-proxy.js';

/** A counting proxy in a process of its own: so that it takes no time from what is measured. */
export interface ProxyProcess {
  readonly host: string;
  readonly take: () => Promise<Traffic>;
  readonly close: () => void;
}

/** Starts one before the registry at `to`; each request waits for so long, in milliseconds. */
export async function startProxy(to: string, delayMs: number): Promise<ProxyProcess> {
  const child = fork(SELF, [to, String(delayMs)]);
  const next = () => new Promise<unknown>((resolve) => child.once('message', resolve));
  const host = (await next()) as string;
  return {
    host,
    take: async () => {
      const taken = next() as Promise<Traffic>;
      child.send('take');
      return taken;
    },
    close: () => child.disconnect(),
  };
}

const SELF = fileURLToPath(import.meta.url);

if (process.send !== undefined && process.argv[1] === SELF) {
  const [, , to = '', delayMs = '0'] = process.argv;
  const proxy = await startCountingProxy(to, Number(delayMs));
  process.on('message', () => process.send?.(proxy.take()));
  process.on('disconnect', () => void proxy.close());
  process.send(proxy.host);
}

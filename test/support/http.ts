import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A port that nothing listens on at the moment. It lies below those that the system hands out by itself, which a server of
 * another test could get before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Asks until somebody answers, for at most a minute, or until `over` says that nobody will. */
export async function ask(port: number, over: () => string | undefined): Promise<string> {
  for (const until = performance.now() + 60_000; performance.now() < until; await sleep(50)) {
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (response !== undefined) return await response.text();
    const ended = over();
    if (ended !== undefined) throw new Error(`the app ended before it answered: ${ended}`);
  }
  throw new Error(`nothing answered on port ${port}`);
}

import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What went through since the last look. */
export interface Traffic {
  /** Requests by kind: `GET manifest`, `HEAD blob`, `POST mount`, `POST upload`, `PUT upload`, `GET ping`, … */
  readonly requests: Readonly<Record<string, number>>;
  /** Bytes of all that came from clients and went to them, headers too. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes of blobs that are larger than any config: layers. */
  readonly layerBytes: number;
}

/** A proxy before a registry that counts what passes, and may hold each request up first. */
export interface CountingProxy {
  readonly host: string;
  /** What went through since the last time that this was asked. */
  readonly take: () => Traffic;
  readonly close: () => Promise<void>;
}

/** Blobs above this count as layers. */
const CONFIG_BYTES = 64 * 1024;

/** Stands before the registry at `to` (`HOST:PORT`); each request waits for so long, in milliseconds. */
export async function startCountingProxy(to: string, delayMs = 0): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  const [hostname, port] = to.split(':');
  let counts = new Map<string, number>();
  let layerBytes = 0;
  const sockets = new Map<Socket, { read: number; written: number }>();
  let gone = { in: 0, out: 0 };
  const forward = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    const kind = kindOf(method, url);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (delayMs > 0) await sleep(delayMs);
    const onward = send({ agent, hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      const size = Number(answer.headers['content-length'] ?? 0);
      if (kind === 'GET blob' && size > CONFIG_BYTES) layerBytes += size;
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    let sent = 0;
    request.on('data', (chunk: Buffer) => {
      sent += chunk.byteLength;
    });
    request.on('end', () => {
      if (url.includes('/blobs/uploads/') && sent > CONFIG_BYTES) layerBytes += sent;
    });
    request.pipe(onward);
  };
  const server = createServer({ noDelay: true }, (request, response) => void forward(request, response));
  server.on('connection', (socket) => {
    sockets.set(socket, { read: 0, written: 0 });
    socket.on('close', () => {
      const before = sockets.get(socket) ?? { read: 0, written: 0 };
      gone = { in: gone.in + socket.bytesRead - before.read, out: gone.out + socket.bytesWritten - before.written };
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      let { in: bytesIn, out: bytesOut } = gone;
      for (const [socket, before] of sockets) {
        bytesIn += socket.bytesRead - before.read;
        bytesOut += socket.bytesWritten - before.written;
        sockets.set(socket, { read: socket.bytesRead, written: socket.bytesWritten });
      }
      const taken = { requests: Object.fromEntries([...counts].sort()), bytesIn, bytesOut, layerBytes };
      [counts, layerBytes, gone] = [new Map(), 0, { in: 0, out: 0 }];
      return taken;
    },
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function kindOf(method: string, url: string): string {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  if (searchParams.has('mount')) return `${method} mount`;
  const [, what = 'ping', rest = ''] = /\/(manifests|blobs\/uploads|blobs|tags|referrers)\/(.*)$/.exec(pathname) ?? [];
  if (what === 'manifests') return `${method} ${rest.startsWith('sha256:') ? 'manifest' : 'tag'}`;
  return `${method} ${{ 'blobs/uploads': 'upload', blobs: 'blob' }[what] ?? what}`;
}

/** All requests together. */
export function totalOf({ requests }: Traffic): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

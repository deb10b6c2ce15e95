import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Endpoint } from './endpoint.js';
import { queriedName, type Reached } from './reached.js';

interface RelayRules {
  /** What may be connected to, as it is. */
  readonly endpoints: readonly Endpoint[];
  readonly reached: (reached: Reached) => void;
}

const HEADER_BYTES = 512;
const ANSWER_MS = 5000;

/** The end of the helper's connections that lies outside: it connects to the endpoints of a list, and to nothing else. */
export async function openRelay(dir: string, rules: RelayRules): Promise<{ readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    void readHeader(socket)
      .then(({ header, rest }) => serve(socket, header, rest, rules))
      .catch(() => socket.destroy());
  });
  await listenIn(dir, 'relay', server);
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close').catch(() => undefined);
    },
  };
}

/** Listens at a name in a directory, by way of the directory's descriptor: the names of sockets must be short. */
export async function listenIn(dir: string, name: string, server: Server): Promise<void> {
  const handle = await open(dir);
  try {
    server.listen(`/proc/self/fd/${handle.fd}/${name}`);
    await once(server, 'listening');
  } finally {
    await handle.close();
  }
}

async function readHeader(socket: Socket): Promise<{ readonly header: Endpoint; readonly rest: Buffer }> {
  let text = Buffer.alloc(0);
  for (;;) {
    await once(socket, 'readable');
    text = Buffer.concat([text, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
    const end = text.indexOf(10);
    if (end < 0 && text.length < HEADER_BYTES) continue;
    return { header: JSON.parse(text.subarray(0, end).toString()) as Endpoint, rest: text.subarray(end + 1) };
  }
}

function serve(socket: Socket, header: Endpoint, rest: Buffer, rules: RelayRules): void {
  const endpoint = rules.endpoints.find((known) => isSame(known, header));
  if (endpoint === undefined) return void socket.destroy();
  if (endpoint.kind === 'udp') return void askByDatagram(socket, endpoint, rest, rules).catch(() => socket.destroy());
  if (endpoint.port !== 53) rules.reached({ host: `${endpoint.address}:${endpoint.port}`, outcome: 'allowed' });
  const far = connect({ host: endpoint.address, port: endpoint.port, allowHalfOpen: true });
  far.write(rest);
  socket.pipe(far).pipe(socket);
  far.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => far.destroy());
}

async function askByDatagram(
  socket: Socket,
  { address, port }: Endpoint,
  head: Buffer,
  rules: RelayRules,
): Promise<void> {
  const parts = [head];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) parts.push(chunk as Buffer);
  const query = Buffer.concat(parts);
  const name = queriedName(query);
  if (name) rules.reached({ host: name, outcome: 'named' });
  const far = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const timer = setTimeout(() => done(), ANSWER_MS);
  const done = (answer?: Buffer) => {
    clearTimeout(timer);
    far.close();
    socket.end(answer ?? Buffer.alloc(0));
  };
  far.once('message', (answer) => done(answer)).once('error', () => done());
  // Connected, so that only the name server itself can answer.
  far.connect(port, address, () => far.send(query));
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.kind === b.kind && a.address === b.address && a.port === b.port;
}

// Runs inside a build's own network and passes connections on to pack-build outside, over a socket that has a name in the
// file system. It decides nothing: whatever it is asked for, the other end knows what may be reached.
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

const lines = [];
let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  rest += text;
  for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
    process.stdin.emit('line');
  }
});
// The end of pack-build, however it came about.
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

process.stdout.write(`${process.pid}\n`);
if (lines.length === 0) await once(process.stdin, 'line');
for (const { kind, address, port, proxy } of JSON.parse(lines[0])) {
  if (kind === 'udp') await listenForDatagrams(address, port);
  else await listenForConnections(address, port, proxy);
}
process.stdout.write('ready\n');

async function listenForConnections(address, port, proxy) {
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ path: proxy ? 'proxy' : 'relay', allowHalfOpen: true });
    if (!proxy) far.write(`${JSON.stringify({ kind: 'tcp', address, port })}\n`);
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  server.listen(port, address);
  await once(server, 'listening');
}

async function listenForDatagrams(address, port) {
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    const far = net.connect({ path: 'relay', allowHalfOpen: true });
    const answer = [];
    far.on('data', (chunk) => answer.push(chunk));
    far.on('error', () => undefined);
    far.on('end', () => {
      if (answer.length > 0) socket.send(Buffer.concat(answer), from.port, from.address, () => undefined);
      far.destroy();
    });
    far.end(Buffer.concat([Buffer.from(`${JSON.stringify({ kind: 'udp', address, port })}\n`), message]));
  });
  socket.bind(port, address);
  await once(socket, 'listening');
}

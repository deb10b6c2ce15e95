import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NetworkMode } from '../../../src/network/mode.js';
import { proxyVariables, withPrivateNetwork } from '../../../src/network/open.js';
import { collectReached } from '../../../src/network/reached.js';
import { bubblewrap } from '../../../src/sandbox/bubblewrap.js';
import { HOST_USR, makeTinyRoot } from '../../support/tiny-root.js';

const ENV = { PATH: '/usr/bin:/bin' };

/** Tries each `HOST:PORT`, and prints those that answer. */
const CONNECT = `
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        print(target)
    except OSError:
        pass
`;

/** Gets each URL as the environment's proxy has it, and prints the status and the answer. */
const GET = `
import sys, urllib.request, urllib.error
for url in sys.argv[1:]:
    try:
        answer = urllib.request.urlopen(url, timeout=5)
        print(answer.status, answer.read().decode().strip())
    except urllib.error.HTTPError as error:
        print(error.code)
    except OSError as error:
        print(error)
`;

let work: string;
let root: string;
let server: Server;
let other: Server;
let port: number;
let otherPort: number;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  root = await makeTinyRoot(join(work, 'root'));
  for (const name of ['tmp', 'work']) await mkdir(join(work, name));
  [server, other] = await Promise.all([serve(), serve()]);
  port = (server.address() as AddressInfo).port;
  otherPort = (other.address() as AddressInfo).port;
});

afterAll(async () => {
  server.close();
  other.close();
  await rm(work, { recursive: true, force: true });
});

/** On all addresses of this machine. */
async function serve(): Promise<Server> {
  const made = createServer((_, response) => response.end('hello\n')).listen(0);
  await once(made, 'listening');
  return made;
}

async function python(mode: NetworkMode, script: string, args: readonly string[], reachable: readonly string[] = []) {
  const reached = collectReached(() => undefined);
  const output: Uint8Array[] = [];
  const options = { env: ENV, parent: join(work, 'work'), reachable, reached: reached.add };
  await withPrivateNetwork(mode, options, (network) =>
    bubblewrap({ env: ENV }).run({
      root,
      mounts: [HOST_USR, { from: join(work, 'tmp'), to: '/tmp', writable: true }],
      argv: ['/usr/bin/python3', '-c', script, ...args],
      cwd: '/tmp',
      env: { ...ENV, ...proxyVariables(mode), no_proxy: '', NO_PROXY: '' },
      network,
      output: 'merged',
      onOutput: (chunk) => output.push(chunk),
    }),
  );
  return { lines: Buffer.concat(output).toString().split('\n').slice(0, -1), reached: reached.all() };
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  );
}

describe('the network egress', () => {
  it('SBX-8 does not lead to this machine, by any of its addresses', async () => {
    const hosts = ['127.0.0.1', '127.0.0.2', '0.0.0.0', '10.0.2.2', '10.0.2.3', '10.0.2.100', ...ownAddresses()];
    const { lines } = await python(
      'egress',
      CONNECT,
      hosts.map((host) => `${host}:${port}`),
    );
    expect(lines).toEqual([]);
  });

  it('SBX-8 does not lead to private networks, link-local ones and metadata', async () => {
    const hosts = ['169.254.169.254', '100.100.100.200', '10.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.0.1'];
    const { lines } = await python('egress', ROUTES, [...hosts, '192.168.0.1', '100.64.0.1', '224.0.0.1']);
    expect(lines).toEqual([]);
  });

  it('SBX-8 has a way to the Internet', async () => {
    expect((await python('egress', ROUTES, ['8.8.8.8', '203.0.113.80'])).lines).toEqual(['8.8.8.8', '203.0.113.80']);
  });

  it('SBX-8 leads to what the operator names, by exact address and port', async () => {
    const own = ownAddresses().at(-1) ?? '';
    const asked = [`127.0.0.1:${port}`, `127.0.0.1:${otherPort}`, `${own}:${otherPort}`, `${own}:${port}`];
    const { lines, reached } = await python('egress', CONNECT, asked, [`127.0.0.1:${port}`, `${own}:${otherPort}`]);
    expect(lines).toEqual([`127.0.0.1:${port}`, `${own}:${otherPort}`]);
    expect(reached).toContainEqual({ host: `127.0.0.1:${port}`, outcome: 'allowed' });
  });

  it('SBX-8 passes whole answers on', async () => {
    const { lines } = await python('egress', GET, [`http://127.0.0.1:${port}/`], [`127.0.0.1:${port}`]);
    expect(lines).toEqual(['200 hello']);
  });

  it('SBX-8 cannot be given other routes from within', async () => {
    const script = 'import subprocess, sys; sys.exit(subprocess.run(["/usr/sbin/ip", *sys.argv[1:]]).returncode == 0)';
    const { lines } = await python('egress', `${script}`, ['route', 'del', 'unreachable', '10.0.0.0/8']);
    expect(lines.join()).toMatch(/not permitted/);
  });

  it('SBX-8 tells which names were asked for', async () => {
    const script = 'import socket\ntry: socket.getaddrinfo("name.invalid", 80)\nexcept OSError: pass';
    const { reached } = await python('egress', script, []);
    expect(reached).toContainEqual({ host: 'name.invalid', outcome: 'named' });
  });

  it('SBX-10 leaves no process and no directory behind', async () => {
    await python('egress', CONNECT, []);
    expect(await readdir(join(work, 'work'))).toEqual([]);
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'ppid,args']);
    expect(
      stdout.split('\n').filter((line) => line.trim().startsWith(`${process.pid} `) && /slirp4netns|helper/.test(line)),
    ).toEqual([]);
  });
});

describe('the network allow=', () => {
  it('SBX-8 has no way out but the proxy', async () => {
    const { lines } = await python('allow=example.com', CONNECT, [`127.0.0.1:${port}`, '8.8.8.8:53', '127.0.0.1:3128']);
    expect(lines).toEqual(['127.0.0.1:3128']);
  });

  it('SBX-8 answers 403 for a host that is not named, and tells of it', async () => {
    const { lines, reached } = await python('allow=example.com', GET, [
      'http://elsewhere.invalid/',
      'https://example.com.evil.invalid/',
    ]);
    expect(lines[0]).toBe('403');
    expect(lines[1]).toContain('403');
    expect(reached).toEqual([
      { host: 'elsewhere.invalid:80', outcome: 'refused' },
      { host: 'example.com.evil.invalid:443', outcome: 'refused' },
    ]);
  });

  it('SBX-8 refuses a named host that leads to a private address', async () => {
    const { lines } = await python(`allow=localhost:${port}`, GET, [`http://localhost:${port}/`]);
    expect(lines).toEqual(['502']);
  });

  it('SBX-8 refuses private addresses written in any way', async () => {
    const urls = [
      `http://127.0.0.1:${port}/`,
      `http://2130706433:${port}/`,
      `http://0x7f.1:${port}/`,
      `http://[::1]:${port}/`,
    ];
    const rules = `allow=127.0.0.1:${port},2130706433:${port}`;
    const { lines } = await python(rules as NetworkMode, GET, urls);
    expect(lines).toEqual(['403', '403', '403', '403']);
  });

  it('SBX-8 lets what the operator names through on a private address', async () => {
    const { lines, reached } = await python(
      'allow=example.com',
      GET,
      [`http://127.0.0.1:${port}/`],
      [`127.0.0.1:${port}`],
    );
    expect(lines).toEqual(['200 hello']);
    expect(reached).toEqual([{ host: `127.0.0.1:${port}`, outcome: 'allowed' }]);
  });
});

/** Prints the addresses to which the kernel has a way. */
const ROUTES = `
import socket, sys
for host in sys.argv[1:]:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        client.connect((host, 53))
        print(host)
    except OSError:
        pass
`;

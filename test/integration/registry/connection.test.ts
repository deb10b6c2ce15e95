import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { freePort } from '../../support/http.js';
import { serve, type TestRegistry } from '../../support/registry.js';
import { selfSigned } from '../../support/tls.js';
import {
  AMD64,
  clientOf,
  failureOf,
  fileWith,
  lastLayer,
  pull,
  pushed,
  removeFiles,
  someImage,
  world,
} from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

describe('a connection to a registry', () => {
  it('REG-17 is plain HTTP only where that is said, also to this machine', async () => {
    const server = await here.registry();
    const error = await failureOf(pull(clientOf(server, { insecure: [] }), server));
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      fix: `if ${server.host} speaks plain HTTP, say so: --insecure-registry ${server.host}`,
    });
    expect(server.seen).toEqual([]);
    for (const insecure of ['127.0.0.1', 'localhost', `${server.host}.evil.example`, '127.0.0.1:1']) {
      expect(await failureOf(pull(clientOf(server, { insecure: [insecure] }), server))).toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
      });
    }
  });

  it('REG-17 trusts an authority that is named, and no other', async () => {
    const [tls, other] = [selfSigned(), selfSigned()];
    const server = await here.registry({ tls });
    const { image, store } = await someImage();
    const put = async (authorities: readonly string[]) =>
      clientOf(server, { insecure: [], authorities }).target(`${server.host}/acme/shop:1`).put(image, store);
    const error = await failureOf(put([]));
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      fix: 'if its certificate is from an authority of your own, name that: --ca-cert FILE',
    });
    expect(await failureOf(put([await fileWith(other.cert)]))).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    await put([await fileWith(tls.cert)]);
    expect(server.manifests.get('acme/shop')?.has('1')).toBe(true);
  });

  it.each([
    ['is not there', undefined],
    ['has no certificate', 'hello'],
  ])('REG-17 fails with a file of authorities that %s', async (_, text) => {
    const server = await here.registry({ tls: selfSigned() });
    const file = text === undefined ? '/none/such.pem' : await fileWith(text);
    const error = await failureOf(pull(clientOf(server, { insecure: [], authorities: [file] }), server));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: `the certificates in ${file} cannot be used` });
  });

  it('REG-17 goes through a proxy, with its password, unless the registry is excepted', async () => {
    const tls = selfSigned();
    const server = await here.registry({ tls });
    const authorities = [await fileWith(tls.cert)];
    const { proxy, asked } = await tunnel();
    const https_proxy = `http://me:secret@${proxy.host}`;
    const { image, store } = await someImage();
    const through = clientOf(server, { insecure: [], authorities, env: { https_proxy } });
    await through.target(`${server.host}/acme/shop:1`).put(image, store);
    expect(new Set(asked)).toEqual(new Set([`${server.host} Basic ${Buffer.from('me:secret').toString('base64')}`]));
    asked.length = 0;
    for (const no_proxy of ['127.0.0.1', `example.com, ${server.host}`, '*'])
      await pull(clientOf(server, { insecure: [], authorities, env: { https_proxy, no_proxy } }), server);
    expect(asked).toEqual([]);
  });

  it('REG-17 fails with words of its own when the proxy refuses', async () => {
    const server = await here.registry({ tls: selfSigned() });
    const proxy = await here.server(() => undefined);
    proxy.onConnect((_target, _authorization, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    const env = { HTTPS_PROXY: `http://me:secret@${proxy.host}` };
    const error = await failureOf(pull(clientOf(server, { insecure: [], env, tuning: { tries: 1 } }), server));
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(error.why).toBe(`the proxy ${proxy.host} does not let us through to ${server.host}: it answered 403`);
    expect(`${error.message} ${error.why}`).not.toContain('secret');
  });

  it('fails at once when the name is not known, and after several tries when nobody listens', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const server = { ...(await here.registry()), host };
    expect(await failureOf(pull(clientOf(server), server))).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: `the connection to ${host} failed`,
      why: expect.stringContaining('ECONNREFUSED'),
    });
    const nowhere = { ...server, host: 'registry.invalid' };
    expect(await failureOf(pull(clientOf(nowhere, { tuning: { firstPauseMs: 60_000 } }), nowhere))).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
  });

  it('ends when the server says nothing', async () => {
    const server = await here.registry();
    server.fault(
      () => true,
      () => true,
    );
    const access = clientOf(server, { tuning: { silenceMs: 100, tries: 2 } });
    expect(await failureOf(pull(access, server))).toMatchObject({ code: 'REGISTRY_TIMEOUT' });
    expect(server.seen).toHaveLength(2);
  });

  it('ends when the work is aborted, and nothing is tried again', async () => {
    const server = await here.registry();
    const controller = new AbortController();
    server.fault(
      () => true,
      () => {
        setTimeout(() => controller.abort(new Error('stopped')), 50);
        return true;
      },
    );
    const access = clientOf(server, { signal: controller.signal });
    expect((await failureOf(pull(access, server))).message).toBe('stopped');
    expect(server.seen).toHaveLength(1);
  });

  it('is kept open for the requests that follow', async () => {
    const server = await here.registry();
    const ports = new Set<number | undefined>();
    server.fault(
      () => true,
      (request) => {
        ports.add(request.socket.remotePort);
        return false;
      },
    );
    const { image, store } = await someImage();
    await clientOf(server, { tuning: { parallel: 1 } })
      .target(`${server.host}/acme/shop:1`)
      .put(image, store);
    expect(server.seen.length).toBeGreaterThan(10);
    expect(ports.size).toBe(1);
  });
});

type Pair = ReturnType<typeof selfSigned>;

describe('a registry that asks who we are', () => {
  /** A registry that lets in who has `client`, and a directory with what is given for it. */
  async function asking(files: (own: Pair, client: Pair) => Readonly<Record<string, string>>) {
    const [own, client] = [selfSigned(), selfSigned()];
    const server = await here.registry({ tls: { ...own, ca: client.cert, requestCert: true } });
    const directory = dirname(await fileWith(''));
    for (const [name, text] of Object.entries(files(own, client))) {
      await mkdir(dirname(join(directory, name.replace('HOST', server.host))), { recursive: true });
      await writeFile(join(directory, name.replace('HOST', server.host)), text);
    }
    const clientWith = (certificateDirectories: readonly string[] = [join(directory, 'certs.d')], env = {}) =>
      clientOf(server, { insecure: [], certificateDirectories, env, tuning: { tries: 2 } });
    return { server, directory, own, client: clientWith };
  }
  const whole = (own: Pair, client: Pair) => ({
    'certs.d/HOST/ca.crt': own.cert,
    'certs.d/HOST/client.cert': client.cert,
    'certs.d/HOST/client.key': client.key,
  });

  it('REG-17 is shown the certificate that lies in its directory', async () => {
    const { server, client } = await asking(whole);
    const { image, store } = await someImage();
    await client().target(`${server.host}/acme/shop:1`).put(image, store);
    expect(server.manifests.get('acme/shop')?.has('1')).toBe(true);
  });

  it('REG-17 is shown none that lies in the directory of another host', async () => {
    const { server, client } = await asking((own, other) => ({
      'certs.d/HOST/ca.crt': own.cert,
      'certs.d/127.0.0.1/client.cert': other.cert,
      'certs.d/127.0.0.1/client.key': other.key,
    }));
    const error = await failureOf(pull(client(), server));
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(server.seen).toEqual([]);
  });

  it('REG-17 is looked for first among what is the user’s own', async () => {
    const { server, directory, own } = await asking((mine, client) => ({
      'home/.config/containers/certs.d/HOST/client.cert': client.cert,
      'home/.config/containers/certs.d/HOST/client.key': client.key,
      'home/.config/containers/certs.d/HOST/ca.crt': mine.cert,
    }));
    await fill(server);
    const reach = { insecure: [], authorities: [await fileWith(own.cert)] };
    for (const env of [{ HOME: join(directory, 'home') }, { XDG_CONFIG_HOME: join(directory, 'home/.config') }])
      expect((await pull(clientOf(server, { ...reach, env }), server)).byteLength).toBeGreaterThan(0);
  });

  it.each<[string, (own: Pair, client: Pair) => Readonly<Record<string, string>>, string]>([
    [
      'without its key',
      (own, client) => ({ 'certs.d/HOST/ca.crt': own.cert, 'certs.d/HOST/me.cert': client.cert }),
      'me.cert has no me.key beside it',
    ],
    ['without its certificate', (_, client) => ({ 'certs.d/HOST/me.key': client.key }), 'me.key has no me.cert beside'],
    [
      'with the key of another',
      (own, client) => ({ 'certs.d/HOST/me.cert': client.cert, 'certs.d/HOST/me.key': own.key }),
      'our certificate for 127.0.0.1',
    ],
    [
      'that is none',
      (_, client) => ({ 'certs.d/HOST/me.cert': 'hello', 'certs.d/HOST/me.key': client.key }),
      'our certificate for 127.0.0.1',
    ],
  ])('REG-17 gets no certificate %s', async (_, files, what) => {
    const { server, client } = await asking(files);
    const error = await failureOf(pull(client(), server));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(what) });
    expect(error.message + error.why).not.toContain('PRIVATE KEY');
  });

  /** Puts an image there, behind the door. */
  async function fill(server: TestRegistry): Promise<void> {
    const open = await here.registry();
    await pushed(open);
    for (const [name, all] of open.manifests) server.manifests.set(name, all);
    for (const [name, all] of open.blobs) server.blobs.set(name, all);
  }
});

describe('a registry with an IPv6 address', () => {
  it('REG-18 is written in brackets, in references and in flags', async () => {
    const server = await here.registry({ at: '::1' });
    expect(server.host).toMatch(/^\[::1\]:\d+$/);
    const made = await pushed(server);
    expect(await pull(clientOf(server), server)).toEqual(await lastLayer(made));
    expect(await failureOf(pull(clientOf(server, { insecure: ['[::1]'] }), server))).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
  });

  it('REG-3 is not gone to when only an image names it', async () => {
    const server = await here.registry({ at: '::1' });
    const access = clientOf(server, { insecure: [] });
    const find = access.source(`${server.host}/acme/shop:1`, memoryStore(), { isHint: true }).find(AMD64);
    expect(await failureOf(find)).toMatchObject({ code: 'REGISTRY_ADDRESS' });
    expect(server.seen).toEqual([]);
  });

  it('REG-17 is asked for in brackets at a proxy, and excepted with and without them', async () => {
    const tls = selfSigned();
    const server = await here.registry({ tls, at: '::1' });
    const authorities = [await fileWith(tls.cert)];
    const { proxy, asked } = await tunnel();
    const env = { https_proxy: proxy.url };
    const reach = { insecure: [], authorities, tuning: { tries: 1 } };
    const made = await someImage();
    await clientOf(server, { ...reach, env })
      .target(`${server.host}/acme/shop:1`)
      .put(made.image, made.store);
    expect(new Set(asked)).toEqual(new Set([`${server.host} undefined`]));
    asked.length = 0;
    for (const no_proxy of ['::1', '[::1]', server.host, '0:0:0:0:0:0:0:1'])
      expect(await pull(clientOf(server, { ...reach, env: { ...env, no_proxy } }), server)).toEqual(
        await lastLayer(made),
      );
    expect(asked).toEqual([]);
  });
});

describe('a mirror', () => {
  it('is asked first, and the registry itself where the mirror has nothing or is gone', async () => {
    const [server, mirror] = [await here.registry(), await here.registry()];
    const made = await pushed(server);
    const insecure = [server.host, mirror.host];
    const mirrors = { [server.host]: [`127.0.0.1:${await freePort()}`, mirror.host] };
    const access = clientOf(server, { insecure, mirrors, tuning: { tries: 1 } });
    expect(await pull(access, server)).toEqual(await lastLayer(made));
    expect(mirror.seen.map(({ url }) => url)).toEqual(['/v2/acme/shop/manifests/1']);
    await clientOf(mirror).target(`${mirror.host}/acme/shop:1`).put(made.image, made.store);
    server.seen.length = 0;
    expect(await pull(access, server)).toEqual(await lastLayer(made));
    expect(server.seen).toEqual([]);
  });

  it('does not change what the image is called', async () => {
    const [server, mirror] = [await here.registry(), await here.registry()];
    const made = await pushed(mirror);
    const access = clientOf(server, { insecure: [mirror.host], mirrors: { 'docker.io': [mirror.host] } });
    const found = await access.source('acme/shop:1', made.store).find({ os: 'linux', architecture: 'amd64' });
    expect(found.name).toBe('docker.io/acme/shop:1');
  });
});

/** An HTTP proxy that opens tunnels to this machine. */
async function tunnel() {
  const asked: string[] = [];
  const proxy = await serve(() => undefined);
  here.keep(proxy);
  proxy.onConnect((target, authorization, socket) => {
    asked.push(`${target} ${authorization}`);
    const { hostname, port } = new URL(`http://${target}`);
    const onward = connect(Number(port), hostname.replace(/^\[|\]$/g, ''), () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
    onward.on('close', () => socket.destroy());
  });
  return { proxy, asked };
}

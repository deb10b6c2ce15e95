import { afterEach, describe, expect, it } from '@jest/globals';
import { sendBytes, type TestRegistry } from '../../support/registry.js';
import { selfSigned } from '../../support/tls.js';
import {
  clientOf,
  failureOf,
  fileWith,
  lastLayer,
  pull,
  pushed,
  removeFiles,
  someImage,
  withAuths,
  world,
} from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

const isBlob = ({ method, url = '' }: { method?: string | undefined; url?: string | undefined }) =>
  method === 'GET' && url.includes('/blobs/');
const basic = `Basic ${Buffer.from('me:canary-password').toString('base64')}`;

/** A registry that wants a password, which the environment's files have. */
async function lockedRegistry(): Promise<TestRegistry> {
  return here.registry({ challenge: (sent) => (sent === basic ? undefined : 'Basic realm="r"') });
}

/** A client with the password. */
async function knownTo(server: TestRegistry, trusted: readonly string[] = []) {
  return clientOf(server, { ...(await withAuths({ [server.host]: { auth: basic.slice(6) } })), trusted });
}

function blobAt(server: TestRegistry, url: string): Buffer {
  const digest = /sha256:[0-9a-f]{64}/.exec(url)?.[0] ?? '';
  return server.blobs.get('acme/shop')?.get(digest) ?? Buffer.alloc(0);
}

function sendTo(server: TestRegistry, location: string, status = 307): void {
  server.fault(isBlob, (_, response) => {
    response.writeHead(status, { location }).end();
    return true;
  });
}

describe('redirects', () => {
  it('REG-1 go to another origin without credentials and without headers of ours', async () => {
    const server = await lockedRegistry();
    const access = await knownTo(server);
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    const elsewhere = await here.server((request, response) =>
      sendBytes(request, response, blobAt(server, request.url ?? '')),
    );
    server.fault(isBlob, (request, response) => {
      response.writeHead(307, { location: `${elsewhere.url}${request.url}?signature=abc` }).end();
      return true;
    });
    expect(await pull(await knownTo(server, [elsewhere.host]), server)).toEqual(await lastLayer(made));
    for (const { headers, url } of elsewhere.seen) {
      expect(url).toMatch(/\?signature=abc$/);
      expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
    }
    expect(elsewhere.seen.length).toBeGreaterThan(0);
  });

  it('REG-1 keep credentials on the same origin', async () => {
    const server = await lockedRegistry();
    const access = await knownTo(server);
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    server.fault(isBlob, (request, response) => {
      if (request.url?.includes('again')) return false;
      response.writeHead(307, { location: `${request.url}?again` }).end();
      return true;
    });
    expect(await pull(access, server)).toEqual(await lastLayer(made));
    expect(server.seen.find(({ url }) => url.includes('again'))?.headers.authorization).toBe(basic);
  });

  it.each([
    ['REG-2 of files', () => 'file:///etc/passwd', 'it leads to file:'],
    ['REG-2 of data', () => 'data:text/plain,x', 'it leads to data:'],
    ['REG-2 with a user in them', (host: string) => `http://me:secret@${host}/`, 'the address has a user in it'],
    ['REG-2 that are no addresses', () => 'http://[', 'it gives an address that is none'],
  ])('%s are not followed', async (_, location, why) => {
    const server = await here.registry();
    await pushed(server);
    sendTo(server, location(server.host));
    expect(await failureOf(pull(clientOf(server), server))).toMatchObject({ code: 'REGISTRY_ADDRESS', why });
  });

  it('REG-2 in circles are followed five times', async () => {
    const server = await here.registry();
    await pushed(server);
    server.fault(isBlob, (request, response) => {
      response.writeHead(302, { location: request.url }).end();
      return true;
    });
    const error = await failureOf(pull(clientOf(server), server));
    expect(error).toMatchObject({ code: 'REGISTRY_ADDRESS', why: 'there are more than 5 redirects in a row' });
    expect(server.seen.filter(isBlob)).toHaveLength(6);
  });

  it('REG-2 from https to http are not followed', async () => {
    const tls = selfSigned();
    const server = await here.registry({ tls });
    const access = clientOf(server, { insecure: [], authorities: [await fileWith(tls.cert)] });
    const { image, store } = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(image, store);
    sendTo(server, `http://${server.host}/`);
    expect(await failureOf(pull(access, server))).toMatchObject({
      code: 'REGISTRY_ADDRESS',
      why: 'it leads from https to http',
    });
  });

  it.each([
    'http://127.0.0.1:1/',
    'http://2130706433:1/',
    'http://0177.0.0.1:1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::1]:1/',
    'http://10.1.2.3/',
    'http://192.168.0.1/',
    'http://[fd00::1]/',
    'http://localhost:1/',
    'http://metadata.localhost/',
  ])('REG-3 do not lead into a private network: %s', async (location) => {
    const server = await here.registry();
    await pushed(server);
    sendTo(server, location);
    const error = await failureOf(pull(clientOf(server), server));
    expect(error.code).toBe('REGISTRY_ADDRESS');
    expect(error.message).toMatch(/which is not on the Internet$/);
  });

  it('REG-5 do not let another host ask for credentials', async () => {
    const server = await lockedRegistry();
    const evil = await here.server((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="give"' }).end(),
    );
    const auths = { [server.host]: { auth: basic.slice(6) }, [evil.host]: { auth: basic.slice(6) } };
    const access = clientOf(server, { ...(await withAuths(auths)), trusted: [evil.host] });
    const { image, store } = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(image, store);
    sendTo(server, `${evil.url}/`);
    expect(await failureOf(pull(access, server))).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(evil.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });
});

describe('uploads', () => {
  const isStart = ({ method }: { method?: string | undefined }) => method === 'POST';

  it('REG-6 do not go to another host, unless it is trusted, and then without credentials', async () => {
    const server = await lockedRegistry();
    const other = await here.server((request, response) => {
      request.resume();
      response.writeHead(201).end();
    });
    server.fault(isStart, (_, response) => {
      response.writeHead(202, { location: `${other.url}/upload?x=1` }).end();
      return true;
    });
    const auths = await withAuths({ [server.host]: { auth: basic.slice(6) } });
    const { image, store } = await someImage();
    const refused = clientOf(server, auths).target(`${server.host}/acme/shop:1`).put(image, store);
    expect(await failureOf(refused)).toMatchObject({
      code: 'REGISTRY_ADDRESS',
      fix: `if that is right, say so: --trust-host ${other.host}`,
    });
    expect(other.seen).toEqual([]);
    // The other host takes the bytes, and our registry then misses them.
    await failureOf(
      clientOf(server, { ...auths, trusted: [other.host] })
        .target(`${server.host}/acme/shop:1`)
        .put(image, store),
    );
    expect(other.seen.map(({ method }) => method)).toContain('PUT');
    expect(other.seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });

  it('REG-15 go on where the registry says, relative or with a query of its own, and not without', async () => {
    const server = await here.registry();
    const { image, store } = await someImage();
    const put = () => clientOf(server).target(`${server.host}/acme/shop:1`).put(image, store);
    server.fault(
      isStart,
      (_, response) => {
        response.writeHead(202).end();
        return true;
      },
      1,
    );
    expect(await failureOf(put())).toMatchObject({ code: 'REGISTRY_INVALID' });
    await put();
    const puts = server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('uploads'));
    expect(puts.length).toBeGreaterThan(2);
    for (const { url } of puts) expect(url).toMatch(/\?state=a%2Fb&digest=sha256%3A[0-9a-f]{64}$/);
  });

  it('REG-15 are taken as done when the registry says so without an address', async () => {
    const server = await here.registry();
    const { image, store } = await someImage();
    server.fault(
      ({ method, url }) => method === 'PUT' && (url ?? '').includes('/uploads/'),
      (_, response) => {
        response.removeHeader('location');
        const write = response.writeHead.bind(response);
        response.writeHead = ((status: number) => write(status)) as typeof response.writeHead;
        return false;
      },
    );
    await clientOf(server).target(`${server.host}/acme/shop:1`).put(image, store);
    expect(server.manifests.get('acme/shop')?.has('1')).toBe(true);
  });
});

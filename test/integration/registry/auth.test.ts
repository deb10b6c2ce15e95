import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { json } from '../../support/registry.js';
import { selfSigned } from '../../support/tls.js';
import { serveTokens, type TokenOptions } from '../../support/token-server.js';
import {
  AMD64,
  clientOf,
  failureOf,
  fileWith,
  lastLayer,
  pull,
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

const CANARY = 'canary-4f1d';
const auth = Buffer.from(`me:${CANARY}`).toString('base64');

/** A registry with a token server beside it. */
async function withTokens(options: TokenOptions = {}) {
  const tokens = await serveTokens(options);
  here.keep(tokens);
  const server = await here.registry({ challenge: tokens.challenge });
  return { tokens, server, trusted: [tokens.host] };
}

describe('tokens', () => {
  it('are asked for once for each registry and scope', async () => {
    const { tokens, server, trusted } = await withTokens();
    const access = clientOf(server, { trusted });
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    await pull(access, server);
    await pull(access, server);
    expect(tokens.asked).toEqual([['repository:acme/shop:pull,push'], ['repository:acme/shop:pull']]);
    expect(tokens.seen[0]?.url).toContain('service=test%2C+with+comma');
  });

  it('are given to nobody for what everybody may do', async () => {
    const { server, trusted } = await withTokens({ users: { me: CANARY } });
    const { image, store } = await someImage();
    const put = clientOf(server, { trusted }).target(`${server.host}/acme/shop:1`).put(image, store);
    const error = await failureOf(put);
    expect(error).toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: `${server.host} does not let us push acme/shop`,
    });
    expect(error.why).toMatch(/there are no credentials for/);
  });

  it.each([
    ['a password', { auth }],
    ['a user and a password apart', { username: 'me', password: CANARY }],
    ['an identity token', { auth: Buffer.from('me:').toString('base64'), identitytoken: 'identity' }],
  ])('are given for %s', async (_, entry) => {
    const { server, trusted } = await withTokens({ users: { me: CANARY }, identities: ['identity'] });
    const access = clientOf(server, { trusted, ...(await withAuths({ [server.host]: entry })) });
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    expect(await pull(access, server)).toEqual(await lastLayer(made));
  });

  it('are not asked for by who has one for the registry itself', async () => {
    const server = await here.registry({
      challenge: (sent) => (sent === 'Bearer own' ? undefined : 'Bearer realm="https://none.invalid/"'),
    });
    const access = clientOf(server, await withAuths({ [server.host]: { registrytoken: 'own' } }));
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
  });

  it('REG-13 are asked for again when they ran out, also within an upload', async () => {
    const { tokens, server, trusted } = await withTokens();
    const access = clientOf(server, { trusted, tuning: { chunkSize: 4000 } });
    const made = await someImage(20_000);
    const expiring = (match: (method: string, url: string) => boolean) =>
      server.fault(
        ({ method = '', url = '' }) => match(method, url),
        () => {
          tokens.expire();
          return false;
        },
        1,
      );
    expiring((method, url) => method === 'PUT' && url.includes('/uploads/'));
    expiring((method, url) => method === 'PUT' && url.includes('/manifests/'));
    // The challenge comes before a fault, so it is the next request that meets it.
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    tokens.expire();
    expect(await pull(access, server)).toEqual(await lastLayer(made));
    expect(tokens.asked.length).toBeGreaterThan(2);
  });

  it('REG-8 are asked for with what is needed and no more; for a mount with both repositories in one', async () => {
    const { tokens, server, trusted } = await withTokens();
    const access = clientOf(server, { trusted });
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    await access.target(`${server.host}/other/shop:1`).put(made.image, made.store);
    expect(tokens.asked).toContainEqual(['repository:other/shop:pull,push', 'repository:acme/shop:pull']);
    expect(access.events).toEqual([]);
    const names = tokens.asked.flat().map((scope) => /^repository:(acme|other)\/shop:(pull|pull,push)$/.test(scope));
    expect(names).not.toContain(false);
  });

  it.each([
    ['with a line break', { token: 'a\r\nX-Evil: 1' }],
    ['that are not there', {}],
    ['that are no text', { token: 5 }],
    ['without an end', { token: 'x'.repeat(100_000) }],
  ])('REG-7 %s are refused', async (_, answer) => {
    const tokens = await here.server((_request, response) => json(response, 200, answer));
    const server = await here.registry({ challenge: () => `Bearer realm="${tokens.url}/token"` });
    const access = clientOf(server, { trusted: [tokens.host] });
    expect(await failureOf(pull(access, server))).toMatchObject({ code: 'REGISTRY_INVALID' });
  });

  it.each([0, -5, 1e9, 'soon', null])(
    'REG-7 that live for %p seconds are used as if for a minute or an hour',
    async (seconds) => {
      const { tokens, server, trusted } = await withTokens({
        more: { expires_in: seconds, issued_at: '1970-01-01T00:00:00Z' },
      });
      const access = clientOf(server, { trusted });
      const made = await someImage();
      await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
      expect(tokens.asked).toHaveLength(1);
    },
  );

  it.each(['1970-01-01T00:00:00Z', '2016-06-15T12:00:00Z', '2099-12-31T23:59:60Z', 'yesterday'])(
    'FLT-10 of a server whose clock says %s are good for as long as it says, and no clock is believed',
    async (issued_at) => {
      const { tokens, server, trusted } = await withTokens({ more: { expires_in: 300, issued_at } });
      server.fault(
        () => true,
        (_request, response) => {
          response.setHeader('date', new Date(issued_at).toUTCString());
          return false;
        },
      );
      const access = clientOf(server, { trusted });
      const made = await someImage();
      await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
      expect(await pull(access, server)).toEqual(await lastLayer(made));
      expect(tokens.asked).toHaveLength(2);
    },
  );

  it.each(['file:///etc/passwd', 'http://user:secret@127.0.0.1/', 'ftp://127.0.0.1/', 'http://127.0.0.1:9/token'])(
    'REG-7 are not asked for at %s',
    async (realm) => {
      const server = await here.registry({ challenge: () => `Bearer realm="${realm}"` });
      expect(await failureOf(pull(clientOf(server), server))).toMatchObject({ code: 'REGISTRY_ADDRESS' });
    },
  );
});

describe('credentials', () => {
  it('REG-4 are not sent to a token server of others', async () => {
    const evil = await serveTokens();
    here.keep(evil);
    const server = await here.registry({ challenge: evil.challenge });
    // The address may be in our network, but it is not to have our password.
    const access = clientOf(server, { insecure: [server.host], ...(await withAuths({ [server.host]: { auth } })) });
    expect(await failureOf(pull(access, server))).toMatchObject({ code: 'REGISTRY_ADDRESS' });
    expect(evil.seen).toEqual([]);
  });

  it('REG-4 are not sent to a token server on another domain, which is asked as nobody', async () => {
    const tls = selfSigned();
    const evil = await here.server((_, response) => json(response, 200, { token: 'theirs' }), tls);
    const server = await here.registry({
      tls,
      challenge: (sent) => (sent === 'Bearer theirs' ? undefined : `Bearer realm="${evil.url}/token"`),
    });
    const files = await withAuths({ [server.host]: { auth }, [evil.host]: { auth } });
    const access = clientOf(server, { insecure: [], authorities: [await fileWith(tls.cert)], ...files });
    // That somebody named it once lets us talk to it, and no more.
    await failureOf(pull(access, evil));
    evil.seen.length = 0;
    expect(await failureOf(pull(access, server))).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    expect(evil.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('are sent to a registry that wants a password, and to it alone', async () => {
    const server = await here.registry({
      challenge: (sent) => (sent === `Basic ${auth}` ? undefined : 'Basic realm="r"'),
    });
    const other = await here.registry({ challenge: () => 'Basic realm="r"' });
    const options = { insecure: [server.host, other.host], ...(await withAuths({ [server.host]: { auth } })) };
    const access = clientOf(server, options);
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    expect(await failureOf(pull(access, other))).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(other.seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });

  it.each([
    [
      'of the whole repository',
      (host: string) => ({ [`${host}/acme/shop`]: { auth }, [`${host}/acme`]: bad, [host]: bad }),
    ],
    ['of a part of its path', (host: string) => ({ [`${host}/acme`]: { auth }, [`${host}/ac`]: bad, [host]: bad })],
    ['with the address of an old registry', (host: string) => ({ [`https://${host}/v1/`]: { auth } })],
  ])('REG-20 come from the entry %s', async (_, auths) => {
    const server = await here.registry({
      challenge: (sent) => (sent === `Basic ${auth}` ? undefined : 'Basic realm="r"'),
    });
    const access = clientOf(server, await withAuths(auths(server.host)));
    const made = await someImage();
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
  });

  it('REG-20 come from a helper, which gets the name on its stdin', async () => {
    const server = await here.registry({
      challenge: (sent) => (sent === `Basic ${auth}` ? undefined : 'Basic realm="r"'),
    });
    const bin = await helper(
      `read -r server; [ "$1 $server" = "get ${server.host}" ] || exit 1; printf '{"Username":"me","Secret":"${CANARY}"}'`,
    );
    for (const more of [{ credHelpers: { [server.host]: 'test' } }, { credsStore: 'test' }]) {
      const access = clientOf(server, {
        env: { PATH: `${bin}:/usr/bin:/bin` },
        ...(await withAuths({ [server.host]: {} }, more)),
      });
      const made = await someImage();
      await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    }
  });

  it('REG-20 are none where a helper has none', async () => {
    const server = await here.registry();
    const bin = await helper("echo 'credentials not found in native keychain'; exit 1");
    const access = clientOf(server, {
      env: { PATH: `${bin}:/usr/bin:/bin` },
      ...(await withAuths({}, { credsStore: 'test' })),
    });
    expect(await failureOf(pull(access, server))).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  it.each([
    ['fails', 'echo "the keychain is locked"; exit 1', /ended with exit 1: the keychain is locked$/],
    ['prints no JSON', `echo ${CANARY}`, /not the JSON that is expected$/],
    ['prints too much', `yes ${CANARY} | head -c 100000`, /printed more than 65536 bytes$/],
  ])(
    'REG-20 a helper that %s is an error without a secret',
    async (_, script, why) => {
      const server = await here.registry({ challenge: () => 'Basic realm="r"' });
      const bin = await helper(script);
      const access = clientOf(server, {
        env: { PATH: `${bin}:/usr/bin:/bin` },
        ...(await withAuths({}, { credsStore: 'test' })),
      });
      const error = await failureOf(pull(access, server));
      expect(error).toMatchObject({ code: 'REGISTRY_CREDENTIALS', why: expect.stringMatching(why) });
      expect(everythingIn(error)).not.toContain(CANARY);
    },
    60_000,
  );

  it('REG-20 a helper whose name leads elsewhere is not started', async () => {
    const server = await here.registry({ challenge: () => 'Basic realm="r"' });
    const access = clientOf(server, await withAuths({}, { credsStore: '../../evil' }));
    expect(await failureOf(pull(access, server))).toMatchObject({
      code: 'REGISTRY_CREDENTIALS',
      why: 'that is not the name of a helper',
    });
  });

  it.each([
    ['is no JSON', `{"auths": ${CANARY}`],
    [
      'has an entry that cannot be read',
      JSON.stringify({ auths: { a: { auth: Buffer.from(CANARY).toString('base64') } } }),
    ],
    ['has a text for an entry', JSON.stringify({ auths: { a: { auth: { [CANARY]: 1 } } } })],
  ])('REG-20 a file that %s is an error without a secret', async (_, text) => {
    const server = await here.registry({ challenge: () => 'Basic realm="r"' });
    const error = await failureOf(pull(clientOf(server, { authFile: await fileWith(text) }), server));
    expect(error).toMatchObject({ code: 'REGISTRY_CREDENTIALS' });
    expect(everythingIn(error)).not.toContain(CANARY);
  });

  it('REG-20 are looked for in the files of Docker and of Podman, in this order', async () => {
    const home = dirname(await fileWith(''));
    const server = await here.registry({ challenge: (sent) => (sent ? undefined : 'Basic realm="r"') });
    const asWhom = async (env: Readonly<Record<string, string>>) => {
      server.seen.length = 0;
      await failureOf(pull(clientOf(server, { env: { HOME: home, ...env } }), server));
      const sent =
        server.seen.findLast(({ headers }) => headers.authorization !== undefined)?.headers.authorization ?? '';
      return Buffer.from(sent.slice(6), 'base64').toString().split(':')[0];
    };
    const write = async (name: string, user: string) => {
      const file = await fileWith(
        JSON.stringify({ auths: { [server.host]: { username: user, password: 'x' } } }),
        name,
      );
      return { directory: dirname(file), file };
    };
    expect(await asWhom({})).toBe('');
    const config = await write('containers/auth.json', 'config');
    const runtime = await write('containers/auth.json', 'runtime');
    const docker = await write('config.json', 'docker');
    const chosen = await write('chosen.json', 'chosen');
    const env = { XDG_CONFIG_HOME: dirname(config.directory) };
    expect(await asWhom(env)).toBe('config');
    expect(await asWhom({ ...env, XDG_RUNTIME_DIR: dirname(runtime.directory) })).toBe('runtime');
    const all = { ...env, XDG_RUNTIME_DIR: dirname(runtime.directory), DOCKER_CONFIG: docker.directory };
    expect(await asWhom(all)).toBe('docker');
    expect(await asWhom({ ...all, REGISTRY_AUTH_FILE: chosen.file })).toBe('chosen');
  });

  it('REG-20 never come back in an error, whatever a registry does with them', async () => {
    const server = await here.registry({
      challenge: (sent) => (sent === `Basic ${auth}` ? undefined : 'Basic realm="r"'),
    });
    server.fault(
      ({ headers }) => headers.authorization !== undefined,
      (request, response) => {
        const message = `you sent ${request.headers.authorization}, that is ${CANARY}`;
        json(response, 418, { errors: [{ code: CANARY, message }] });
        return true;
      },
    );
    const access = clientOf(server, await withAuths({ [server.host]: { auth } }));
    const error = await failureOf(pull(access, server));
    expect(error.why).toContain('you sent Basic ***, that is ***');
    for (const secret of [CANARY, auth]) expect(everythingIn(error)).not.toContain(secret);
  });

  it('REG-20 of signed addresses are not in an error', async () => {
    const server = await here.registry();
    const made = await someImage();
    await clientOf(server).target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    server.fault(
      ({ method, url = '' }) => method === 'GET' && url.includes('/blobs/'),
      (request, response) => {
        if (request.url?.includes(CANARY)) response.socket?.destroy();
        else response.writeHead(307, { location: `${request.url}?signature=${CANARY}` }).end();
        return true;
      },
    );
    const error = await failureOf(clientOf(server).source(`${server.host}/acme/shop:1`, memoryStore()).find(AMD64));
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(everythingIn(error)).not.toContain(CANARY);
  });
});

const bad = { auth: Buffer.from('me:wrong').toString('base64') };

/** A directory with `docker-credential-test`. */
async function helper(script: string): Promise<string> {
  const directory = dirname(await fileWith(''));
  const file = join(directory, 'docker-credential-test');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return directory;
}

function everythingIn(error: Error): string {
  const cause = error.cause instanceof Error ? everythingIn(error.cause) : String(error.cause);
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${cause}`;
}

import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { json, refuse, sendBytes, type TestRegistry } from '../../support/registry.js';
import { AMD64, clientOf, failureOf, lastLayer, pull, pushed, removeFiles, someImage, world } from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

type Request = { readonly method?: string | undefined; readonly url?: string | undefined };
const isTag = ({ method, url = '' }: Request) => method === 'GET' && url.endsWith('/manifests/1');
const isFinish = ({ method, url = '' }: Request) => method === 'PUT' && url.includes('/uploads/');

describe('a registry that lies', () => {
  it('REG-9 about the digest of a tag is not believed', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    server.fault(isTag, (_, response) => {
      const { type, bytes } = manifestOf(server);
      const lie = `sha256:${'0'.repeat(64)}`;
      response.writeHead(200, { 'content-type': type, 'docker-content-digest': lie }).end(bytes);
      return true;
    });
    const error = await failureOf(pull(clientOf(server), server));
    expect(error).toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(error.why).toContain(image.manifest.descriptor.digest);
  });

  it('REG-9 about a manifest that was asked for by its digest is found out', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const digest = image.manifest.descriptor.digest;
    server.fault(
      ({ url = '' }) => url.includes(digest),
      (_, response) => {
        const bytes = Buffer.concat([manifestOf(server).bytes, Buffer.from(' ')]);
        response
          .writeHead(200, { 'content-type': manifestOf(server).type, 'docker-content-digest': digest })
          .end(bytes);
        return true;
      },
    );
    const reference = `acme/shop@${digest}`;
    expect(await failureOf(pull(clientOf(server), server, reference))).toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('REG-9 about the bytes of a layer is found out', async () => {
    const server = await here.registry();
    const made = await pushed(server, 1000);
    const bytes = await lastLayer(made);
    server.fault(isLayer(made), (request, response) => {
      sendBytes(request, response, Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')]));
      return true;
    });
    expect(await failureOf(pull(clientOf(server), server))).toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('with a manifest without an end is read to four megabytes', async () => {
    const server = await here.registry();
    await pushed(server);
    server.fault(isTag, (_, response) => {
      response.writeHead(200, { 'content-type': manifestOf(server).type });
      const more = () => {
        while (response.write(Buffer.alloc(1 << 16)));
      };
      response.on('drain', more);
      more();
      return true;
    });
    expect(await failureOf(pull(clientOf(server), server))).toMatchObject({ code: 'REGISTRY_INVALID' });
  });

  it('CMP-8 and encodes what it sends is refused', async () => {
    const server = await here.registry();
    await pushed(server);
    server.fault(isTag, (_, response) => {
      response.setHeader('content-encoding', 'gzip');
      return false;
    });
    expect(await failureOf(pull(clientOf(server), server))).toMatchObject({ code: 'REGISTRY_INVALID' });
    expect(server.seen.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true);
  });
});

describe('a tag', () => {
  it('REG-10 is asked for once, and all else goes by digest', async () => {
    const server = await here.registry();
    const first = await pushed(server);
    server.fault(
      isTag,
      async (_, response) => {
        // Right after the answer, the tag is another image's.
        const { type, bytes } = manifestOf(server);
        response.writeHead(200, { 'content-type': type }).end(bytes);
        const other = await someImage(77);
        await clientOf(server).target(`${server.host}/acme/shop:2`).put(other.image, other.store);
        server.manifests.get('acme/shop')?.set('1', manifestOf(server, '2'));
        return true;
      },
      1,
    );
    expect(await pull(clientOf(server), server)).toEqual(await lastLayer(first));
    expect(server.seen.filter(({ url }) => url.endsWith('/manifests/1'))).toHaveLength(1);
  });

  it('FLT-9 that somebody else moved is not overwritten', async () => {
    const server = await here.registry();
    const first = await pushed(server);
    const [mine, theirs] = [await someImage(10), await someImage(20)];
    const expected = first.image.manifest.descriptor.digest;
    await clientOf(server).target(`${server.host}/acme/shop:1`).put(theirs.image, theirs.store);
    const put = clientOf(server)
      .target(`${server.host}/acme/shop:1`, { replacing: { expected } })
      .put(mine.image, mine.store);
    expect(await failureOf(put)).toMatchObject({ code: 'REGISTRY_TAG_MOVED' });
    expect(manifestOf(server).bytes).toEqual(Buffer.from(theirs.image.manifest.bytes));
  });

  it('FLT-9 that somebody moves between our look and our write is not overwritten where the registry compares', async () => {
    const server = await here.registry({ compares: true });
    const first = await pushed(server);
    const [mine, theirs] = [await someImage(10), await someImage(20)];
    await clientOf(server).target(`${server.host}/acme/shop:theirs`).put(theirs.image, theirs.store);
    server.fault(
      ({ method, url = '' }) => method === 'PUT' && url.endsWith('/manifests/1'),
      () => {
        server.manifests.get('acme/shop')?.set('1', manifestOf(server, 'theirs'));
        return false;
      },
      1,
    );
    const target = clientOf(server).target(`${server.host}/acme/shop:1`, {
      replacing: { expected: first.image.manifest.descriptor.digest },
    });
    expect(await failureOf(target.put(mine.image, mine.store))).toMatchObject({ code: 'REGISTRY_TAG_MOVED' });
    expect(manifestOf(server).bytes).toEqual(Buffer.from(theirs.image.manifest.bytes));
  });

  it('FLT-9 that somebody moves right after our write is told', async () => {
    const server = await here.registry();
    await pushed(server);
    const [mine, theirs] = [await someImage(10), await someImage(20)];
    await clientOf(server).target(`${server.host}/acme/shop:theirs`).put(theirs.image, theirs.store);
    server.seen.length = 0;
    server.fault(isTag, () => {
      const isWritten = server.seen.some(({ method, url }) => method === 'PUT' && url.endsWith('/manifests/1'));
      if (isWritten) server.manifests.get('acme/shop')?.set('1', manifestOf(server, 'theirs'));
      return false;
    });
    const put = clientOf(server).target(`${server.host}/acme/shop:1`).put(mine.image, mine.store);
    expect(await failureOf(put)).toMatchObject({ code: 'REGISTRY_TAG_MOVED' });
  });

  it('is not moved when it stands for the image already', async () => {
    const server = await here.registry();
    const { image, store } = await pushed(server);
    await clientOf(server).target(`${server.host}/acme/shop:1`).put(image, store);
    expect(server.seen.filter(({ method, url }) => method === 'PUT' && url.endsWith('/manifests/1'))).toEqual([]);
  });
});

describe('a download', () => {
  const breaks: readonly (readonly [string, (response: ServerResponse, bytes: Buffer) => void])[] = [
    [
      'is cut off',
      (response, bytes) =>
        void response
          .writeHead(200, { 'content-length': bytes.length })
          .write(bytes.subarray(0, 4000), () => response.destroy()),
    ],
    [
      'is reset',
      (response, bytes) =>
        void response
          .writeHead(200, { 'content-length': bytes.length })
          .write(bytes.subarray(0, 4000), () => response.socket?.resetAndDestroy()),
    ],
    [
      'ends within a chunk',
      (response, bytes) =>
        void response
          .writeHead(200, { 'transfer-encoding': 'chunked' })
          .write(bytes.subarray(0, 4000), () => response.socket?.end()),
    ],
    [
      'is shorter than it says',
      (response, bytes) => void response.writeHead(200, { 'content-length': 4000 }).end(bytes.subarray(0, 4000)),
    ],
    [
      'stands still',
      (response, bytes) =>
        void response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 4000)),
    ],
    ['crawls', (response, bytes) => crawl(response, bytes)],
    ['has no answer at all', (response) => void response.socket?.destroy()],
  ];

  it.each(breaks)('REG-11 that %s is taken up again', async (_, breakOff) => {
    const server = await here.registry();
    const made = await pushed(server, 20_000);
    const bytes = await lastLayer(made);
    server.fault(
      isLayer(made),
      (_request, response) => {
        breakOff(response, bytes);
        return true;
      },
      1,
    );
    expect(await pull(clientOf(server, { tuning: { silenceMs: 200 } }), server)).toEqual(bytes);
    const asked = server.seen.filter(isLayer(made));
    expect(asked).toHaveLength(2);
  });

  it('REG-11 goes on where it ended, if the registry can', async () => {
    const server = await here.registry();
    const made = await pushed(server, 20_000);
    const bytes = await lastLayer(made);
    server.fault(
      isLayer(made),
      (_, response) => {
        const head = { 'content-length': bytes.length, etag: '"abc"' };
        response.writeHead(200, head).write(bytes.subarray(0, 4000), () => setTimeout(() => response.destroy(), 50));
        return true;
      },
      1,
    );
    expect(await pull(clientOf(server), server)).toEqual(bytes);
    const [, second] = server.seen.filter(isLayer(made));
    expect(second?.headers).toMatchObject({ range: 'bytes=4000-', 'if-range': '"abc"' });
  });

  it('REG-11 leaves out what it has where the registry sends all anew', async () => {
    const server = await here.registry();
    const made = await pushed(server, 20_000);
    const bytes = await lastLayer(made);
    server.fault(isLayer(made), (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      const isFirst = server.seen.filter(isLayer(made)).length === 1;
      if (isFirst) response.write(bytes.subarray(0, 4000), () => setTimeout(() => response.destroy(), 50));
      else response.end(bytes);
      return true;
    });
    expect(await pull(clientOf(server), server)).toEqual(bytes);
  });

  it('REG-11 that always breaks off fails in the end, and no short layer is taken', async () => {
    const server = await here.registry();
    const made = await pushed(server, 20_000);
    server.fault(isLayer(made), (_, response) => {
      response.writeHead(200, { 'content-length': 0 }).end();
      return true;
    });
    expect(await failureOf(pull(clientOf(server), server))).toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('REG-11 does not take what a server says unasked for the answer to the next question', async () => {
    const server = await here.registry();
    const made = await pushed(server);
    const evil = Buffer.from('{"errors":[]}');
    server.fault(
      isTag,
      (request, response) => {
        const { type, bytes } = manifestOf(server);
        response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
        const { socket } = request;
        setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`), 30);
        return true;
      },
      1,
    );
    const access = clientOf(server);
    const found = await access.source(`${server.host}/acme/shop:1`, (await someImage()).store).find(AMD64);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(found.image.manifest.descriptor.digest).toBe(made.image.manifest.descriptor.digest);
    expect(await pull(access, server)).toEqual(await lastLayer(made));
  });
});

describe('a registry that is busy', () => {
  it.each([408, 429, 499, 500, 502, 503, 504, 522])('REG-12 is asked again after %i', async (status) => {
    const server = await here.registry();
    const made = await pushed(server);
    server.fault(isTag, (_, response) => Boolean(refuse(response, status, 'UNKNOWN', 'busy')), 2);
    expect(await pull(clientOf(server), server)).toEqual(await lastLayer(made));
    expect(server.seen.filter(isTag)).toHaveLength(3);
  });

  it.each([400, 403, 405, 410, 418, 501])('REG-12 is not asked again after %i', async (status) => {
    const server = await here.registry();
    await pushed(server);
    server.fault(isTag, (_, response) => Boolean(refuse(response, status, 'UNKNOWN', 'no')));
    await failureOf(pull(clientOf(server), server));
    expect(server.seen.filter(isTag)).toHaveLength(1);
  });

  it.each([
    ['seconds', () => ({ 'retry-after': '1' })],
    [
      'a date, by its own clock',
      () => ({ date: 'Thu, 01 Jan 1970 00:00:10 GMT', 'retry-after': 'Thu, 01 Jan 1970 00:00:11 GMT' }),
    ],
  ])('REG-12 is given the time that it asks for in %s', async (_, headers) => {
    const server = await here.registry();
    await pushed(server);
    server.fault(
      isTag,
      (_request, response) => {
        for (const [name, value] of Object.entries(headers())) response.setHeader(name, value);
        return Boolean(refuse(response, 503, 'UNAVAILABLE', 'busy'));
      },
      1,
    );
    const before = performance.now();
    await pull(clientOf(server), server);
    expect(performance.now() - before).toBeGreaterThan(950);
  });

  it.each(['600', '99999999999999', 'Thu, 01 Jan 2099 00:00:00 GMT'])(
    'REG-12 is not waited for when it asks for more than can be waited: %s',
    async (text) => {
      const server = await here.registry();
      await pushed(server);
      server.fault(isTag, (_, response) => {
        response.setHeader('retry-after', text);
        return Boolean(refuse(response, 429, 'TOOMANYREQUESTS', 'pull rate limit'));
      });
      const error = await failureOf(pull(clientOf(server), server));
      expect(error).toMatchObject({ code: 'REGISTRY_LIMITED' });
      expect(error.why).toContain('TOOMANYREQUESTS: pull rate limit');
      expect(server.seen.filter(isTag)).toHaveLength(1);
    },
  );

  it('REG-12 is told of after five tries', async () => {
    const server = await here.registry();
    await pushed(server);
    server.fault(isTag, (_, response) => Boolean(refuse(response, 503, 'UNAVAILABLE', 'down \u001b[31mfor\nrepair')));
    const error = await failureOf(pull(clientOf(server), server));
    expect(error).toMatchObject({ code: 'REGISTRY_FAILED' });
    expect(error.why).toMatch(/^503 on GET .*: UNAVAILABLE: down \[31mfor repair$/);
    expect(server.seen.filter(isTag)).toHaveLength(5);
  });
});

describe('an upload', () => {
  const put = async (server: TestRegistry, made: Awaited<ReturnType<typeof someImage>>, chunkSize = 6000) => {
    const access = clientOf(server, { tuning: { chunkSize } });
    await access.target(`${server.host}/acme/shop:1`).put(made.image, made.store);
    expect(await pull(clientOf(server), server)).toEqual(await lastLayer(made));
  };

  it('is one request to open it and one to send it', async () => {
    const server = await here.registry();
    await put(server, await someImage(20_000));
    const sent = server.seen.filter(({ method, url }) => url.includes('/uploads/') && method !== 'HEAD');
    expect(sent.map(({ method }) => method).sort()).toEqual(['POST', 'POST', 'POST', 'PUT', 'PUT', 'PUT']);
  });

  it('REG-13 begins anew when its session is gone', async () => {
    const server = await here.registry();
    server.fault(isFinish, (_, response) => Boolean(refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'gone')), 1);
    await put(server, await someImage(20_000));
  });

  it('FLT-6 that breaks off goes on in pieces', async () => {
    const server = await here.registry();
    const made = await someImage(20_000);
    server.fault(
      isBigFinish,
      (request) => {
        request.once('data', () => request.socket.destroy());
        request.resume();
        return true;
      },
      1,
    );
    await put(server, made);
    expect(server.seen.filter(({ method }) => method === 'PATCH').length).toBeGreaterThan(1);
  });

  it('FLT-6 whose answer is lost is not sent again', async () => {
    const server = await here.registry();
    const made = await someImage(20_000);
    server.fault(
      isBigFinish,
      async (request, response, body) => {
        const bytes = await body();
        const digest = new URL(request.url ?? '', server.url).searchParams.get('digest') ?? '';
        server.blobs.set('acme/shop', (server.blobs.get('acme/shop') ?? new Map()).set(digest, bytes));
        response.socket?.destroy();
        return true;
      },
      1,
    );
    await put(server, made);
    expect(server.seen.filter(({ method }) => method === 'PATCH')).toEqual([]);
  });

  it('goes on in pieces when a proxy takes no large ones', async () => {
    const server = await here.registry();
    server.fault(isBigFinish, (_, response) => {
      response.writeHead(413, { connection: 'close' }).end();
      return true;
    });
    await put(server, await someImage(20_000));
    const sizes = server.seen.filter(({ method }) => method === 'PATCH').map(({ bytes }) => bytes);
    expect(Math.max(...sizes)).toBe(6000);
  });

  it('REG-13 in pieces asks how far it came, and goes on from there', async () => {
    const server = await here.registry();
    const made = await someImage(20_000);
    server.fault(isBigFinish, (_, response) => Boolean(refuse(response, 413, 'SIZE_INVALID', 'too large')), 1);
    let pieces = 0;
    server.fault(
      ({ method }) => method === 'PATCH',
      async (request, response) => {
        pieces += 1;
        if (pieces !== 2) return false;
        // All of the piece comes in, and the answer does not go out.
        response.writeHead = (() => {
          request.socket.destroy();
          return response;
        }) as typeof response.writeHead;
        return false;
      },
    );
    await put(server, made);
    const starts = server.seen
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => headers['content-range']);
    expect(starts.slice(0, 3)).toEqual(['0-5999', '6000-11999', expect.stringMatching(/^12000-/)]);
  });

  it('REG-13 in pieces begins anew where what the registry says does not fit', async () => {
    const server = await here.registry();
    const made = await someImage(20_000);
    server.fault(isBigFinish, (_, response) => Boolean(refuse(response, 413, 'SIZE_INVALID', 'too large')), 1);
    let pieces = 0;
    server.fault(
      ({ method }) => method === 'PATCH',
      (_, response) => {
        pieces += 1;
        return pieces === 3 ? Boolean(refuse(response, 416, 'RANGE_INVALID', 'no')) : false;
      },
    );
    server.fault(
      ({ method, url = '' }) => method === 'GET' && url.includes('/uploads/'),
      (_, response) => {
        response.writeHead(204, { range: '0-99' }).end();
        return true;
      },
    );
    await put(server, made);
    const starts = server.seen
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => headers['content-range']);
    expect(starts.filter((range) => range === '0-5999')).toHaveLength(2);
  });

  it('keeps to the least size of pieces that a registry wants', async () => {
    const server = await here.registry();
    server.fault(isBigFinish, (_, response) => Boolean(refuse(response, 413, 'SIZE_INVALID', 'too large')), 1);
    server.fault(
      ({ method }) => method === 'POST',
      (_, response) => {
        response.setHeader('oci-chunk-min-length', '9000');
        return false;
      },
    );
    await put(server, await someImage(20_000));
    const [first] = server.seen.filter(({ method }) => method === 'PATCH');
    expect(first?.bytes).toBe(9000);
  });

  it('REG-16 looks at the blobs once more when the registry lost one', async () => {
    const server = await here.registry();
    const made = await someImage();
    let isLost = false;
    server.fault(
      ({ method, url = '' }) => method === 'PUT' && url.includes('/manifests/'),
      () => {
        if (!isLost) server.blobs.get('acme/shop')?.delete(made.image.manifest.value.layers[0]?.digest ?? '');
        isLost = true;
        return false;
      },
    );
    await put(server, made);
  });

  it('REG-16 believes that a replaced image has its layers, until the registry misses one', async () => {
    const server = await here.registry();
    const first = await pushed(server);
    const access = clientOf(server);
    const { image } = await access.source(`${server.host}/acme/shop:1`, first.store).find(AMD64);
    const next = await someImage(10);
    const kept = image.manifest.value.layers[0]?.digest ?? '';
    server.blobs.get('acme/shop')?.delete(kept);
    await access
      .target(`${server.host}/acme/shop:1`, { replacing: { expected: image.manifest.descriptor.digest } })
      .put(next.image, next.store);
    expect(next.image.manifest.value.layers[0]?.digest).toBe(kept);
    expect(server.blobs.get('acme/shop')?.has(kept)).toBe(true);
    expect(await pull(clientOf(server), server)).toEqual(await lastLayer(next));
  });

  it('REG-16 names the blob that the registry loses again', async () => {
    const server = await here.registry();
    const made = await someImage();
    const digest = made.image.manifest.value.layers[0]?.digest ?? '';
    server.fault(
      ({ method, url = '' }) => method === 'PUT' && url.includes('/manifests/'),
      () => {
        server.blobs.get('acme/shop')?.delete(digest);
        return false;
      },
    );
    const error = await failureOf(put(server, made));
    expect(error).toMatchObject({ code: 'REGISTRY_FAILED' });
    expect(error.why).toContain(`MANIFEST_BLOB_UNKNOWN: blob unknown: ${digest}`);
    expect(server.manifests.get('acme/shop')?.has('1') ?? false).toBe(false);
  });
});

describe('a blob of another repository', () => {
  it('is mounted, and no byte of it is sent but of the config', async () => {
    const server = await here.registry();
    const made = await pushed(server, 20_000);
    const access = clientOf(server);
    await access.source(`${server.host}/acme/shop:1`, made.store).find(AMD64);
    server.seen.length = 0;
    await access.target(`${server.host}/other/shop:1`).put(made.image, made.store);
    const sent = server.seen.filter(({ url }) => url.includes('/blobs/')).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(sent).toBe(made.image.config.bytes.byteLength);
    expect(access.events).toEqual([]);
  });

  it('is not sent when it cannot be mounted, but is there already', async () => {
    const server = await here.registry({ mounts: false });
    const made = await pushed(server, 20_000);
    await clientOf(server).target(`${server.host}/other/shop:1`).put(made.image, made.store);
    const access = clientOf(server);
    await access.source(`${server.host}/acme/shop:1`, made.store).find(AMD64);
    server.seen.length = 0;
    await access.target(`${server.host}/other/shop:2`).put(made.image, made.store);
    const most = Math.max(...server.seen.filter(({ url }) => url.includes('/blobs/')).map(({ bytes }) => bytes));
    expect(most).toBeLessThan(1000);
    expect(access.events).toEqual([]);
    expect(server.seen.filter(({ method }) => method === 'DELETE')).toHaveLength(
      made.image.manifest.value.layers.length,
    );
  });

  it.each([
    ['202', { mounts: false }, undefined],
    ['401', {}, 401],
    ['403', {}, 403],
    ['405', {}, 405],
  ])('REG-14 is sent, and that is told, when the mount is answered %s', async (_, options, status) => {
    const server = await here.registry(options);
    const made = await pushed(server, 20_000);
    const access = clientOf(server);
    await access.source(`${server.host}/acme/shop:1`, made.store).find(AMD64);
    if (status !== undefined)
      server.fault(
        ({ url = '' }) => url.includes('mount='),
        (_request, response) => Boolean(refuse(response, status, 'DENIED', 'no')),
      );
    server.seen.length = 0;
    await access.target(`${server.host}/other/shop:1`).put(made.image, made.store);
    expect(await pull(clientOf(server), server, 'other/shop:1')).toEqual(await lastLayer(made));
    expect(access.events).toContainEqual(expect.objectContaining({ type: 'notice', code: 'MOUNT_REFUSED' }));
    const count = (wanted: string) => server.seen.filter(({ method }) => method === wanted).length;
    const layers = made.image.manifest.value.layers.length;
    // Where a mount is answered with an upload, that is the one that is used.
    expect(count('POST')).toBe(layers + 1 + (status === undefined ? 0 : layers));
    expect(server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('/uploads/'))).toHaveLength(
      layers + 1,
    );
  });
});

describe('a list', () => {
  it('REG-19 does not go on at another host, in circles or for ever', async () => {
    const server = await here.registry();
    await pushed(server);
    const other = await here.server((_, response) => json(response, 200, {}));
    const links = [`<${other.url}/v2/acme/shop/tags/list>; rel="next"`, '</v2/acme/shop/tags/list>; rel="next"'];
    for (const link of links) {
      server.fault(
        ({ url = '' }) => url.includes('/tags/'),
        (_, response) => {
          response.setHeader('link', link);
          return false;
        },
        1,
      );
      const error = await failureOf(pull(clientOf(server), server, 'acme/shop:none'));
      expect(error).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    }
    let page = 0;
    server.fault(
      ({ url = '' }) => url.includes('/tags/'),
      (_, response) => {
        page += 1;
        response.setHeader('link', `</v2/acme/shop/tags/list?page=${page}>; rel="next"`);
        return false;
      },
    );
    await failureOf(pull(clientOf(server), server, 'acme/shop:none'));
    expect(page).toBe(100);
    expect(other.seen).toEqual([]);
  });

  it('of tags is shown when a tag is not there', async () => {
    const server = await here.registry();
    await pushed(server);
    expect(await failureOf(pull(clientOf(server), server, 'acme/shop:none'))).toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: `docker://${server.host}/acme/shop:none is not there`,
      fix: `name one of its tags: ${server.host}/acme/shop:1`,
    });
  });
});

function isBigFinish(request: Request & { readonly headers: NodeJS.Dict<string | string[]> }): boolean {
  return isFinish(request) && Number(request.headers['content-length']) > 1000;
}

function isLayer({ image }: Awaited<ReturnType<typeof someImage>>) {
  const digest = image.manifest.value.layers.at(-1)?.digest ?? '';
  return ({ method, url = '' }: Request) => method === 'GET' && url.endsWith(digest);
}

function manifestOf(server: TestRegistry, tag = '1') {
  const found = server.manifests.get('acme/shop')?.get(tag);
  if (found === undefined) throw new Error(`there is no tag ${tag}`);
  return found;
}

/** A byte every 20 milliseconds. */
function crawl(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'content-length': bytes.length });
  let at = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, at + 1));
    at += 1;
  }, 20);
  response.on('close', () => clearInterval(timer));
}

import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type FetchOptions, fetchBuildpack } from '../../../src/buildpack/fetch.js';
import { downloads } from '../../../src/http/download.js';
import { type Fault, sendBytes, serve, type TestServer } from '../../support/registry.js';
import { selfSigned } from '../../support/tls.js';
import { type BenchHall, FIXTURES, failureOf, fetchOptions, openHall, reference } from './bench.js';

let hall: BenchHall;
let bytes: Buffer;
let tarballs: string;
beforeAll(async () => {
  hall = await openHall();
  tarballs = join(await hall.temp('kept'), 'tarballs');
  bytes = await tarball();
});
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});
afterAll(async () => {
  await hall.close();
});

const QUICK = { firstPauseMs: 2, longestPauseMs: 20, longestWaitMs: 100, silenceMs: 2000 };

/** A tarball as hosting sites make them. */
async function tarball(add?: (dir: string) => Promise<void>): Promise<Buffer> {
  const home = await hall.temp('tar');
  execFileSync('cp', ['-r', join(FIXTURES, 'detects-always'), join(home, 'owner-repo-abc')]);
  await add?.(join(home, 'owner-repo-abc'));
  execFileSync('tar', ['-czf', join(home, 'bp.tgz'), '-C', home, 'owner-repo-abc']);
  return readFile(join(home, 'bp.tgz'));
}

/** A server that has a tarball at every address. */
async function web(tls?: Parameters<typeof serve>[1], served = () => bytes): Promise<TestServer> {
  const server = await serve((request, response) => sendBytes(request, response, served()), tls);
  open.push(server);
  return server;
}

/** Answers with a status, and where else to look. */
function says(status: number, location?: string): Fault {
  return (_request, response) => {
    response.writeHead(status, location === undefined ? {} : { location }).end();
    return true;
  };
}

async function fetchTo(text: string, more: Partial<FetchOptions> = {}, registry?: string) {
  const dir = join(await hall.temp('fetched'), 'buildpack');
  const fetched = await fetchBuildpack(
    await reference(text, FIXTURES, registry),
    fetchOptions(dir, { tarballs, ...more }),
  );
  return { ...fetched, dir };
}

describe('fetchBuildpack of a tarball on the web', () => {
  it('R2 R9 unpacks it, and tells its integrity', async () => {
    const server = await web();
    const { dir, version, id, kind } = await fetchTo(`${server.url}/bp.tgz?raw=1`);
    expect(await readdir(dir)).toEqual(['bin']);
    expect([id, kind]).toEqual([`${server.url}/bp.tgz?raw=1`, 'http']);
    expect(version).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /bp.tgz?raw=1']);
  });

  it('says once that plain HTTP is open to all on the way, and no more when the lock names it', async () => {
    const server = await web();
    const first = await fetchTo(`${server.url}/bp.tgz`);
    expect(first.notices.map(({ code }) => code)).toEqual(['BUILDPACK_PLAIN_HTTP']);
    expect((await fetchTo(`${server.url}/bp.tgz`, { expected: first.version })).notices).toEqual([]);
  });

  it('BP-8 asks nobody for what the lock names and was kept', async () => {
    const server = await web();
    const { version } = await fetchTo(`${server.url}/bp.tgz`);
    await server.close();
    server.seen.length = 0;
    const again = await fetchTo(`${server.url}/bp.tgz`, { expected: version });
    expect([again.version, await readdir(again.dir)]).toEqual([version, ['bin']]);
    expect(server.seen).toEqual([]);
  });

  it.each([
    ['changed', (file: string) => writeFile(file, 'something else')],
    ['cut off', (file: string) => writeFile(file, bytes.subarray(0, 100))],
    ['emptied', (file: string) => writeFile(file, '')],
  ])('FLT-8 gets it again when the kept one was %s', async (_, damage) => {
    const server = await web();
    const own = { tarballs: join(await hall.temp('kept'), 'tarballs') };
    const { version } = await fetchTo(`${server.url}/bp.tgz`, own);
    const [name = ''] = await readdir(own.tarballs);
    await damage(join(own.tarballs, name));
    const again = await fetchTo(`${server.url}/bp.tgz`, { ...own, expected: version });
    expect([again.version, server.seen.length]).toEqual([version, 2]);
    expect(await readFile(join(own.tarballs, name))).toEqual(bytes);
  });

  it('BP-8 refuses what is not what the lock names, and neither keeps nor unpacks it', async () => {
    const server = await web();
    const own = { tarballs: join(await hall.temp('kept'), 'tarballs') };
    const { version } = await fetchTo(`${server.url}/bp.tgz`);
    bytes = await tarball((dir) => writeFile(join(dir, 'more'), 'more'));
    const into = join(await hall.temp('fetched'), 'buildpack');
    const options = fetchOptions(into, { ...own, expected: version });
    expect(await failureOf(fetchBuildpack(await reference(`${server.url}/bp.tgz`), options))).toMatchObject({
      code: 'BUILDPACK_INTEGRITY',
      what: `buildpack ${server.url}/bp.tgz is not the one that pack-build.lock names`,
    });
    expect(await readdir(own.tarballs)).toEqual([]);
    expect(await lstat(into).catch(() => 'gone')).toBe('gone');
  });

  it('FLT-6 tries again after an answer that passes, and after one that breaks off', async () => {
    const server = await web();
    const all = () => true;
    server.fault(all, says(503), 1);
    server.fault(
      all,
      (_request, response) => {
        response.writeHead(200, { 'content-length': bytes.byteLength });
        response.write(bytes.subarray(0, 50), () => response.destroy());
        return true;
      },
      2,
    );
    expect((await fetchTo(`${server.url}/bp.tgz`)).kind).toBe('http');
    expect(server.seen).toHaveLength(4);
  });

  it('FLT-6 gives up a transfer that always breaks off, and keeps nothing of it', async () => {
    const server = await web();
    const own = { tarballs: join(await hall.temp('kept'), 'tarballs') };
    server.fault(
      () => true,
      (_request, response) => {
        response.writeHead(200, { 'content-length': bytes.byteLength });
        response.write(bytes.subarray(0, 50), () => response.destroy());
        return true;
      },
    );
    const error = await failureOf(fetchTo(`${server.url}/bp.tgz`, own));
    expect(error).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      what: `buildpack ${server.url}/bp.tgz could not be fetched`,
      fix: 'try again, or download the tarball yourself and name the file',
    });
    expect(error.why).toContain(`the connection to ${server.host} failed`);
    expect([server.seen.length, await readdir(own.tarballs)]).toEqual([3, []]);
  });

  it('gives up a transfer that takes too long', async () => {
    const server = await web();
    server.fault(
      () => true,
      (_request, response) => {
        response.writeHead(200);
        response.write('x');
        return true;
      },
    );
    expect(await failureOf(fetchTo(`${server.url}/bp.tgz`, { timeoutMs: 1500 }))).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      why: `${server.host} did not send all within 1.5 seconds\nasked for /bp.tgz`,
    });
    expect(server.seen.length).toBeGreaterThan(1);
  });

  it('is interrupted and leaves nothing', async () => {
    const server = await web();
    const controller = new AbortController();
    const own = { tarballs: join(await hall.temp('kept'), 'tarballs') };
    server.fault(
      () => true,
      () => {
        setTimeout(() => controller.abort(new Error('stopped')), 20);
        return true;
      },
    );
    const work = fetchTo(`${server.url}/bp.tgz`, { ...own, signal: controller.signal });
    await expect(work).rejects.toThrow('stopped');
    expect([await readdir(own.tarballs), server.seen.length]).toEqual([[], 1]);
  });

  it.each([
    [404, 'BUILDPACK_NOT_FOUND', 'there is no buildpack at'],
    [403, 'BUILDPACK_NOT_FOUND', 'there is no buildpack at'],
    [401, 'BUILDPACK_FETCH_FAILED', 'could not be fetched'],
    [500, 'BUILDPACK_FETCH_FAILED', 'could not be fetched'],
  ])('names what the server answers: %i', async (status, code, what) => {
    const server = await web();
    server.fault(() => true, says(status));
    const error = await failureOf(fetchTo(`${server.url}/bp.tgz`));
    expect(error).toMatchObject({ code, why: `${server.host} answered ${status}` });
    expect(error.what).toContain(what);
  });

  it('refuses an answer that is no tarball, and one with more than a buildpack can have', async () => {
    const own = { tarballs: join(await hall.temp('kept'), 'tarballs') };
    const page = await web(undefined, () => Buffer.from('<html>Sign in'));
    expect(await failureOf(fetchTo(`${page.url}/bp.tgz`, own))).toMatchObject({ code: 'BUILDPACK_FETCH_FAILED' });
    const large = await web();
    large.fault(
      () => true,
      (_request, response) => {
        response.writeHead(200, { 'content-length': 300 * 1024 * 1024 });
        const chunk = Buffer.alloc(4 * 1024 * 1024);
        const more = () => response.write(chunk, (error) => void (error ?? more()));
        more();
        return true;
      },
    );
    const error = await failureOf(fetchTo(`${large.url}/bp.tgz`, own));
    expect(error.why).toContain(`${large.host} sent more than can be right`);
    expect(await readdir(own.tarballs)).toEqual([]);
  });
});

describe('BP-8 a hostile tarball on the web', () => {
  it('that becomes too much when it is unpacked is refused, and leaves nothing', async () => {
    // 600 MiB of one file's zeros.
    const header = execFileSync('sh', [
      '-c',
      'd=$(mktemp -d); cd $d; mkdir bin; : > bin/detect; truncate -s 600M big; tar -cf - bin big | head -c 4096; rm -r $d',
    ]);
    const bomb = gzipSync(Buffer.concat([header, Buffer.alloc(600 * 1024 * 1024)]), { level: 1 });
    const server = await web(undefined, () => bomb);
    const into = join(await hall.temp('fetched'), 'buildpack');
    const error = await failureOf(fetchBuildpack(await reference(`${server.url}/bp.tgz`), fetchOptions(into)));
    expect(error).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      why: 'it holds more than 536870912 bytes',
    });
    expect(await lstat(into).catch(() => 'gone')).toBe('gone');
    expect(await readdir(`${into}.tarballs`)).toEqual([]);
  });

  it.each([
    ['a link that leads out', (dir: string) => symlink('../../../../etc/passwd', join(dir, 'out'))],
    ['a fifo', async (dir: string) => void execFileSync('mkfifo', [join(dir, 'pipe')])],
  ])('with %s is refused, and leaves nothing', async (_, add) => {
    const hostile = await tarball(add);
    const server = await web(undefined, () => hostile);
    const into = join(await hall.temp('fetched'), 'buildpack');
    expect(await failureOf(fetchBuildpack(await reference(`${server.url}/bp.tgz`), fetchOptions(into)))).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      what: `buildpack ${server.url}/bp.tgz cannot be unpacked`,
    });
    expect(await lstat(into).catch(() => 'gone')).toBe('gone');
  });
});

describe('what a server that has buildpacks wants of us', () => {
  it('REG-1 is followed to another host without the password of the first', async () => {
    const [first, second] = [await web(), await web()];
    const seen: (string | undefined)[] = [];
    const keep = (request: IncomingMessage) => {
      seen.push(request.headers.authorization);
      return false;
    };
    first.fault(
      () => true,
      (request, ...rest) => keep(request) || says(302, `${second.url}/there.tgz`)(request, ...rest),
    );
    second.fault(() => true, keep);
    const url = `${first.url.replace('://', '://me:se%20cret@')}/bp.tgz`;
    const download = downloads({ env: {}, trusted: [second.host], tuning: QUICK });
    const { id } = await fetchTo(url, { download });
    expect(seen).toEqual([`Basic ${Buffer.from('me:se cret').toString('base64')}`, undefined]);
    expect(id).toBe(`${first.url}/bp.tgz`);
  });

  it('REG-3 is not followed into a private network, unless the user says so', async () => {
    const [first, second] = [await web(), await web()];
    first.fault(() => true, says(307, `${second.url}/x`));
    expect(await failureOf(fetchTo(`${first.url}/bp.tgz`))).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      fix: `if that is right, say so: --trust-host ${second.host}`,
    });
    expect(second.seen).toEqual([]);
  });

  it('REG-2 is not followed from https to http', async () => {
    const tls = selfSigned();
    const [safe, plain] = [await web(tls), await web()];
    const ca = join(await hall.temp('ca'), 'ca.pem');
    await writeFile(ca, tls.cert);
    safe.fault(() => true, says(301, `${plain.url}/x`));
    const download = downloads({ env: {}, authorities: [ca], trusted: [plain.host], tuning: QUICK });
    const error = await failureOf(fetchTo(`${safe.url}/bp.tgz`, { download }));
    expect(error.why).toContain('it leads from https to http');
    expect(plain.seen).toEqual([]);
  });

  it('REG-17 has an authority that the user named, and goes through a proxy', async () => {
    const tls = selfSigned();
    const server = await web(tls);
    expect((await failureOf(fetchTo(`${server.url}/bp.tgz`))).fix).toContain('--ca-cert FILE');
    const ca = join(await hall.temp('ca'), 'ca.pem');
    await writeFile(ca, tls.cert);
    const download = downloads({ env: {}, authorities: [ca], tuning: QUICK });
    expect((await fetchTo(`${server.url}/bp.tgz`, { download })).notices).toEqual([]);

    const proxy = await web();
    proxy.onConnect((_target, _authorization, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    const through = downloads({ env: { https_proxy: proxy.url }, authorities: [ca], tuning: { ...QUICK, tries: 1 } });
    const error = await failureOf(fetchTo(`${server.url}/bp.tgz`, { download: through }));
    expect(error.why).toContain(`the proxy ${proxy.host} does not let us through to ${server.host}`);
  });
});

describe('fetchBuildpack of a name in a registry', () => {
  it('R2 takes OWNER/NAME.tgz from the registry', async () => {
    const server = await web();
    const { id, kind, version } = await fetchTo('heroku/php', {}, `${server.url}/buildpacks/`);
    expect([id, kind]).toEqual(['heroku/php', 'http']);
    expect(version).toMatch(/^sha512-/);
    expect(server.seen.map(({ url }) => url)).toEqual(['/buildpacks/heroku/php.tgz']);
  });

  it('names what is not there', async () => {
    const server = await web();
    server.fault(() => true, says(403));
    expect(await failureOf(fetchTo('heroku/none', {}, server.url))).toMatchObject({
      code: 'BUILDPACK_NOT_FOUND',
      what: 'there is no buildpack at heroku/none',
    });
  });

  it('names the bundled one where the registry cannot be reached', async () => {
    expect(await failureOf(fetchTo('heroku/nodejs'))).toMatchObject({
      code: 'BUILDPACK_FETCH_FAILED',
      what: 'buildpack heroku/nodejs could not be fetched',
      why: expect.stringContaining('ECONNREFUSED'),
      fix: 'try again, or use the bundled one: --buildpack nodejs',
    });
  });

  it('has only the newest', async () => {
    expect(await failureOf(fetchTo('heroku/php@v1'))).toMatchObject({
      code: 'REFERENCE_INVALID',
      what: 'heroku/php@v1 names a version, and a buildpack registry gives only the newest',
    });
  });

  it.each(['', 'ftp://example.com', 'example.com', 'https://example.com/?x'])(
    'refuses an address that is none: %j',
    async (address) => {
      expect(await failureOf(fetchTo('heroku/php', {}, address))).toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );

  it('is a directory where there is one of that name', async () => {
    const from = await hall.temp('from');
    await mkdir(join(from, 'heroku/php/bin'), { recursive: true });
    expect(await reference('heroku/php', from)).toEqual({
      id: 'heroku/php',
      kind: 'directory',
      path: join(from, 'heroku/php'),
    });
  });
});

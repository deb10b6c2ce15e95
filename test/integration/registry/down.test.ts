import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { rebase } from '../../../src/rebase.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { digestOf, hexOf } from '../../../src/values/digest.js';
import { makeFleet } from '../../support/fleet.js';
import type { Fault, TestRegistry } from '../../support/registry.js';
import { AMD64, bytesOf, clientOf, pushed, someImage, world } from './world.js';

const here = world();
const directories: string[] = [];
afterEach(async () => {
  await here.close();
  await Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true })));
});

const ways: readonly (readonly [string, Fault])[] = [
  [
    'breaks every connection',
    (request) => {
      request.socket.destroy();
      return true;
    },
  ],
  [
    'answers 503',
    (_request, response) => {
      response.writeHead(503).end();
      return true;
    },
  ],
];

/** One request after the other, and few tries. */
const tuning = { parallel: 1, tries: 2, firstPauseMs: 1, longestPauseMs: 2 };

/** Does something with a registry that is down from its first, second, third… request on, until it is through before that. */
async function downAtEachStep(
  server: TestRegistry,
  fault: Fault,
  work: (attempt: number) => Promise<unknown>,
  check: (attempt: number) => Promise<void>,
): Promise<number> {
  for (let step = 0; ; step += 1) {
    if (step === 100) throw new Error('it never ends');
    let left = step;
    let isDown = true;
    server.fault(() => {
      left -= 1;
      return isDown && left < 0;
    }, fault);
    const failed = await work(step).then(
      () => undefined,
      (error: unknown) => error,
    );
    isDown = false;
    if (failed !== undefined) {
      expect(failed).toMatchObject({ code: expect.stringMatching(/^REGISTRY_/), why: expect.stringMatching(/./) });
    }
    await check(step);
    await work(step);
    if (failed === undefined) return step;
  }
}

/** All bytes have the digest that they are kept under, and whatever a manifest names is there. */
function requireSound(server: TestRegistry): void {
  for (const all of server.blobs.values()) for (const [digest, bytes] of all) expect(digestOf(bytes)).toBe(digest);
  for (const [repository, all] of server.manifests) {
    for (const { bytes } of all.values()) {
      const { config, layers = [] } = JSON.parse(bytes.toString());
      for (const { digest } of [config, ...layers]) expect(server.blobs.get(repository)?.has(digest)).toBe(true);
    }
  }
}

const tagOf = (server: TestRegistry, repository: string) => {
  const found = server.manifests.get(repository)?.get('1');
  return found === undefined ? undefined : digestOf(found.bytes);
};

describe.each(ways)('FLT-6 a registry that from some step on %s', (_, fault) => {
  it('has the old tag or the new one, and gets the rest when it is back: a push', async () => {
    const server = await here.registry();
    const { image, store } = await someImage(3000);
    const { digest } = image.manifest.descriptor;
    const put = async (step: number) =>
      clientOf(server, { tuning }).target(`${server.host}/acme/push${step}:1`).put(image, store);
    const steps = await downAtEachStep(server, fault, put, async (step) => {
      expect([undefined, digest]).toContain(tagOf(server, `acme/push${step}`));
      requireSound(server);
    });
    expect(steps).toBeGreaterThan(6);
    for (let step = 0; step <= steps; step += 1) expect(tagOf(server, `acme/push${step}`)).toBe(digest);
    requireSound(server);
  });

  it('leaves nothing half-written here, and the second run reads the rest: a pull', async () => {
    const server = await here.registry();
    const { image } = await pushed(server, 3000);
    const roots = new Map<number, string>();
    const read = async (step: number) => {
      const root = roots.get(step) ?? (await temporary());
      roots.set(step, root);
      const found = await clientOf(server, { tuning })
        .source(`${server.host}/acme/shop:1`, directoryStore(root), { isBase: true })
        .find(AMD64);
      for (const layer of found.image.manifest.value.layers) await bytesOf(found.blobs.stream(layer));
      return found.image;
    };
    const steps = await downAtEachStep(server, fault, read, async (step) => {
      const blobs = join(roots.get(step) ?? '', 'sha256');
      for (const name of await readdir(blobs).catch(() => []))
        expect([name, hexOf(digestOf(await readFile(join(blobs, name))))]).toEqual([name, name]);
    });
    expect(steps).toBe(image.manifest.value.layers.length + 2);
  });

  it('has the old image or the new one under the tag, and the second run moves it: a rebase', async () => {
    const server = await here.registry();
    const fleet = await makeFleet(server.host, { files: 3, runtimeBytes: 1000 });
    const cacheDir = await temporary();
    const { next } = fleet.bases(server.host);
    const tools = () => ({
      sandbox: hostSandbox(),
      env: {},
      registries: clientOf(server, { tuning }),
    });
    const name = (step: number) => `acme/app${step}`;
    const before = new Map<number, string | undefined>();
    const move = async (step: number) =>
      rebase({ image: `${server.host}/${name(step)}:1`, base: next, platform: AMD64, cacheDir }, tools());
    const after: (string | undefined)[] = [];
    for (let step = 0; step < 40; step += 1) await fleet.deploy(name(step));
    for (let step = 0; step < 40; step += 1) before.set(step, tagOf(server, name(step)));
    const steps = await downAtEachStep(server, fault, move, async (step) => {
      const { digest } = await rebase(
        { image: `${server.host}/${name(step)}:1`, base: next, planOnly: true, platform: AMD64, cacheDir },
        tools(),
      );
      after[step] = digest;
      expect([before.get(step), digest]).toContain(tagOf(server, name(step)));
      requireSound(server);
    });
    expect(steps).toBeGreaterThan(8);
    for (let step = 0; step <= steps; step += 1) expect(tagOf(server, name(step))).toBe(after[step]);
  });
});

async function temporary(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'pack-build-down-'));
  directories.push(made);
  return made;
}

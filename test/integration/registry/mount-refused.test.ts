import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type RebaseRequest, rebase } from '../../../src/rebase.js';
import { registries } from '../../../src/registry/access.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import type { Event } from '../../../src/values/events.js';
import { type Fleet, makeFleet } from '../../support/fleet.js';
import { refuse, type TestRegistry } from '../../support/registry.js';
import { AMD64, failureOf, world } from './world.js';

const here = world();
let cacheDir = '';
afterEach(async () => {
  await here.close();
  await rm(cacheDir, { recursive: true, force: true });
});

/** An app on a base in another repository of a registry that mounts nothing, but has done so until now. */
async function shop(mounts: boolean, status?: number) {
  const server = await here.registry({ mounts });
  const fleet = await makeFleet(server.host, { files: 30, runtimeBytes: 1000 });
  await fleet.deploy('acme/shop');
  cacheDir = await mkdtemp(join(tmpdir(), 'pack-build-mounts-'));
  if (status !== undefined)
    server.fault(
      ({ url = '' }) => url.includes('mount='),
      (_, response) => Boolean(refuse(response, status, 'DENIED', 'no')),
    );
  return { server, fleet };
}

const tagOf = (server: TestRegistry) => server.manifests.get('acme/shop')?.get('1')?.bytes;
const sentLayers = (server: TestRegistry) =>
  server.seen.filter(({ method, url, bytes }) => method === 'PUT' && url.includes('/uploads/') && bytes > 10_000);

async function move(server: TestRegistry, fleet: Fleet, more: Partial<RebaseRequest> = {}) {
  const events: Event[] = [];
  const on = (event: Event) => void events.push(event);
  const tools = {
    on,
    sandbox: hostSandbox(),
    env: {},
    registries: registries({ env: {}, insecure: [server.host], on }),
  };
  const image = `${server.host}/acme/shop:1`;
  const result = await rebase(
    { image, base: fleet.bases(server.host).next, platform: AMD64, cacheDir, ...more },
    tools,
  );
  return { result, notices: events.filter(({ type }) => type === 'notice') };
}

describe('a rebase where the registry does not mount the layers of the base', () => {
  it.each([
    ['an upload', false, undefined],
    ['401', true, 401],
    ['403', true, 403],
    ['405', true, 405],
  ] as const)(
    'REG-14 sends none of them when the answer is %s, and leaves the tag where it was',
    async (_, mounts, status) => {
      const { server, fleet } = await shop(mounts, status);
      const before = tagOf(server);
      server.seen.length = 0;
      const error = await failureOf(move(server, fleet));
      expect(error).toMatchObject({
        code: 'REGISTRY_MOUNT_REFUSED',
        message: `${server.host} does not take a layer of the base over from acme/base to acme/shop`,
        why: expect.stringMatching(
          /^the \d+ bytes of sha256:\w{64} would have to be sent, and a rebase sends none of a base that is there already$/,
        ),
        fix: "have the registry allow mounts between these repositories, or send the base's layers with --allow-upload-base",
        details: { from: 'acme/base', repository: 'acme/shop' },
      });
      expect(sentLayers(server)).toEqual([]);
      expect(tagOf(server)).toBe(before);
      // No upload is left open.
      const opened = server.seen.filter(({ method, url }) => method === 'POST' && url.includes('/uploads/')).length;
      const ended = server.seen.filter(
        ({ method, url }) => /DELETE|PUT/.test(method) && url.includes('/uploads/'),
      ).length;
      expect(ended).toBe(status === undefined ? opened : opened - fleet.baseLayers);
    },
  );

  it('sends them with consent, tells how much, and comes to the same image', async () => {
    const { server, fleet } = await shop(false);
    const { result, notices } = await move(server, fleet, { waivers: { uploadBase: true } });
    expect(notices).toHaveLength(fleet.baseLayers);
    expect(notices[0]).toMatchObject({
      code: 'MOUNT_REFUSED',
      message: expect.stringMatching(/ did not take sha256:\w{64} over from acme\/base: \d+ bytes were sent$/),
    });
    const { server: other, fleet: same } = await shop(true);
    const mounted = await move(other, same);
    expect(mounted.notices).toEqual([]);
    expect(mounted.result.plans[0]?.layersIn).toEqual(result.plans[0]?.layersIn);
  });

  it('takes what is there already, mounted or not', async () => {
    const { server, fleet } = await shop(false);
    await move(server, fleet, { waivers: { uploadBase: true } });
    await fleet.deploy('acme/shop');
    server.seen.length = 0;
    const { notices } = await move(server, fleet);
    expect(notices).toEqual([]);
    expect(sentLayers(server)).toEqual([]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { imagesOf } from '../../../src/oci/image-index.js';
import { type RebaseRequest, rebase } from '../../../src/rebase.js';
import { registries } from '../../../src/registry/access.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import type { Event } from '../../../src/values/events.js';
import { type CountingProxy, startCountingProxy } from '../../support/counting-proxy.js';
import { startDockerRegistry } from '../../support/docker-registry.js';
import { type Fleet, makeFleet } from '../../support/fleet.js';
import { serveRegistry } from '../../support/registry.js';
import { AMD64 } from './world.js';

const servers = {
  'a registry in memory': () => serveRegistry(),
  "Debian's docker-registry": () => startDockerRegistry(),
};

describe.each(Object.entries(servers))('a rebase within %s', (_, start) => {
  let server: { readonly host: string; readonly close: () => Promise<void> };
  let proxy: CountingProxy;
  let fleet: Fleet;
  let cacheDir: string;
  beforeAll(async () => {
    server = await start();
    fleet = await makeFleet(server.host, { files: 30, runtimeBytes: 100_000 });
    proxy = await startCountingProxy(server.host);
    cacheDir = await mkdtemp(join(tmpdir(), 'pack-build-rebase-cost-'));
    await fleet.deploy('acme/first');
    await move(session(), `${proxy.host}/acme/first:1`);
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
    await rm(cacheDir, { recursive: true });
  });

  const session = () => {
    const events: Event[] = [];
    const on = (event: Event) => void events.push(event);
    return {
      on,
      events,
      sandbox: hostSandbox(),
      env: {},
      registries: registries({ env: {}, insecure: [proxy.host], on }),
    };
  };
  const move = (tools: ReturnType<typeof session>, image: string, planOnly = false, keepPrevious = true) =>
    rebase({ image, base: fleet.bases(proxy.host).next, platform: AMD64, cacheDir, planOnly, keepPrevious }, tools);

  it('REB-6 moves no byte of a layer, and takes 8 requests and one mount for each layer that is missing', async () => {
    await fleet.deploy('acme/shop');
    await fleet.deploy('acme/other');
    const tools = session();
    await move(tools, `${proxy.host}/acme/shop:1`);
    proxy.take();
    const { plans } = await move(tools, `${proxy.host}/acme/other:1`);
    const { requests, layerBytes } = proxy.take();
    expect(plans[0]?.layersIn).toHaveLength(fleet.baseLayers);
    expect(layerBytes).toBe(0);
    expect(requests).toEqual({ ...WRITES, 'GET tag': 2, 'GET blob': 1, 'POST mount': fleet.baseLayers });
    expect(tools.events.filter(({ type }) => type === 'notice')).toEqual([]);
  });

  it('only reads for a plan, with one HEAD for each layer, and tells what can be mounted', async () => {
    await fleet.deploy('acme/looked');
    const tools = session();
    await move(tools, `${proxy.host}/acme/looked:1`, true);
    proxy.take();
    const { image, transfers } = await move(tools, `${proxy.host}/acme/looked:1`, true);
    const { requests, layerBytes } = proxy.take();
    expect(Object.keys(requests).filter((kind) => !/^(GET|HEAD) /.test(kind))).toEqual([]);
    expect(layerBytes).toBe(0);
    const layers = imagesOf(image).flatMap(({ manifest }) => manifest.value.layers);
    expect(requests['HEAD blob']).toBe(layers.length);
    const [transfer] = transfers;
    expect(transfer?.lacks.map(({ way }) => way)).toEqual(Array(fleet.baseLayers).fill('mounted'));
    expect(transfer?.there).toBe(layers.length - fleet.baseLayers);
    expect(transfer?.bytes).toBeLessThan(20_000);
  });

  it('takes 6 requests and the mounts when the plan has read what is to be moved, and moves nothing else', async () => {
    await fleet.deploy('acme/planned');
    const tools = session();
    const planned = await move(tools, `${proxy.host}/acme/planned:1`, true);
    proxy.take();
    const moved = await move(tools, `${proxy.host}/acme/planned:1@${planned.previous}`);
    expect(moved.digest).toBe(planned.digest);
    expect(proxy.take().requests).toEqual({ ...WRITES, 'GET tag': 1, 'POST mount': fleet.baseLayers });
    const late = move(tools, `${proxy.host}/acme/planned:1@${planned.previous}`);
    await expect(late).resolves.toMatchObject({ digest: planned.digest });
    await fleet.deploy('acme/planned');
    const other = await move(tools, `${proxy.host}/acme/planned:1`, true);
    await expect(move(tools, `${proxy.host}/acme/planned:1@${planned.digest}`)).rejects.toMatchObject({
      code: 'REGISTRY_TAG_MOVED',
    });
    expect(other.previous).toBe(planned.previous);
  });

  it('takes 5 requests and the mounts after a plan when somebody else keeps account of what was there', async () => {
    await fleet.deploy('acme/counted');
    const tools = session();
    const { previous } = await move(tools, `${proxy.host}/acme/counted:1`, true);
    proxy.take();
    await move(tools, `${proxy.host}/acme/counted:1@${previous}`, false, false);
    const { requests, layerBytes } = proxy.take();
    expect(requests).toEqual({ ...WRITES, 'PUT tag': 1, 'GET tag': 1, 'POST mount': fleet.baseLayers });
    expect(layerBytes).toBe(0);
  });

  it('REB-8 refuses older packages with an empty cache as the plan does, and reads the old base once', async () => {
    for (const name of ['acme/back', 'acme/more']) {
      await fleet.deploy(name);
      await move(session(), `${proxy.host}/${name}:1`);
    }
    const back = (cache: string, name: string, more: Partial<RebaseRequest> = {}) => {
      const { old } = fleet.bases(proxy.host);
      const image = `${proxy.host}/${name}:1`;
      return rebase({ image, base: old, platform: AMD64, cacheDir: join(cacheDir, cache), ...more }, session());
    };
    const { plans } = await back('one', 'acme/back', { planOnly: true });
    expect(plans[0]?.checks.find(({ name }) => name === 'downgrade')?.verdict).toBe('fails');
    proxy.take();
    await expect(back('two', 'acme/back')).rejects.toMatchObject({ code: 'REBASE_DOWNGRADE' });
    const ofBoth = proxy.take().layerBytes;
    await expect(back('two', 'acme/more')).rejects.toMatchObject({ code: 'REBASE_DOWNGRADE' });
    expect(proxy.take().layerBytes).toBe(0);
    // Who accepts it pays for the new base alone.
    await back('three', 'acme/back', { waivers: { downgrade: true } });
    const ofOne = proxy.take().layerBytes;
    expect(ofOne).toBeGreaterThan(0);
    expect(ofOne).toBeLessThan(0.6 * ofBoth);
  });

  it('asks for no base that is named by its digest and is in the cache, however many images are moved', async () => {
    const tools = session();
    for (const name of ['acme/one', 'acme/two', 'acme/three']) await fleet.deploy(name);
    proxy.take();
    for (const name of ['acme/one', 'acme/two', 'acme/three']) await move(tools, `${proxy.host}/${name}:1`);
    const { requests } = proxy.take();
    expect([requests['GET manifest'], requests['GET blob']]).toEqual([undefined, 3]);
  });
});

/** An upload of the config, a tag for what was there, and the move of the tag between two looks. */
const WRITES = { 'POST upload': 1, 'PUT upload': 1, 'HEAD tag': 1, 'PUT tag': 2 };

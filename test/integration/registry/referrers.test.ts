import { afterEach, describe, expect, it } from '@jest/globals';
import type { Artifact } from '../../../src/registry/artifact.js';
import { json } from '../../support/registry.js';
import { clientOf, pushed, removeFiles, world } from './world.js';

const here = world();
afterEach(async () => {
  await here.close();
  await removeFiles();
});

const artifact = (name: string): Artifact => ({
  artifactType: 'application/spdx+json',
  blobs: [{ mediaType: 'application/spdx+json', bytes: Buffer.from(`{"name":"${name}"}`) }],
  annotations: { 'org.example.name': name },
});

describe('an artifact', () => {
  it.each([
    ['accounts for it', true],
    ['does not', false],
  ])('is found from its image, with its type and annotations, where the registry %s', async (_, isAccounted) => {
    const server = await here.registry({ referrers: isAccounted });
    const { image } = await pushed(server);
    const subject = image.manifest.descriptor;
    const access = clientOf(server);
    const attached = await access.attach(`${server.host}/acme/shop`, subject, artifact('a'));
    expect(await access.referrers(`${server.host}/acme/shop`, subject.digest)).toEqual([attached]);
    expect(attached).toMatchObject({ artifactType: 'application/spdx+json', annotations: { 'org.example.name': 'a' } });
    const tag = `sha256-${subject.digest.slice(7)}`;
    expect(server.manifests.get('acme/shop')?.has(tag)).toBe(!isAccounted);
  });

  it('stands in the account once, however often it is attached', async () => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const access = clientOf(server);
    for (let time = 0; time < 2; time += 1)
      await access.attach(`${server.host}/acme/shop`, image.manifest.descriptor, artifact('a'));
    expect(await access.referrers(`${server.host}/acme/shop`, image.manifest.descriptor.digest)).toHaveLength(1);
  });

  it('may have no bytes of its own', async () => {
    const server = await here.registry({ referrers: true });
    const { image } = await pushed(server);
    const mark = { artifactType: 'application/vnd.example.mark', blobs: [] };
    await clientOf(server).attach(`${server.host}/acme/shop`, image.manifest.descriptor, mark);
    expect(await clientOf(server).referrers(`${server.host}/acme/shop`, image.manifest.descriptor.digest)).toHaveLength(
      1,
    );
  });

  it.each([
    ['compares', true],
    ['does not compare', false],
  ])('REG-21 is not lost when others are attached at the same time, where the registry %s', async (_, compares) => {
    const server = await here.registry({ compares });
    const { image } = await pushed(server);
    const names = ['a', 'b', 'c'];
    await Promise.all(
      names.map((name) =>
        clientOf(server, { tuning: { firstPauseMs: 800, longestPauseMs: 800 } }).attach(
          `${server.host}/acme/shop`,
          image.manifest.descriptor,
          artifact(name),
        ),
      ),
    );
    const found = await clientOf(server).referrers(`${server.host}/acme/shop`, image.manifest.descriptor.digest);
    expect(found.map(({ annotations }) => annotations?.['org.example.name']).sort()).toEqual(names);
  });

  it.each([
    ['redirects elsewhere', 303],
    ['shows a page', 200],
    ['fails', 405],
  ])('is found by its tag where the registry %s', async (_, status) => {
    const server = await here.registry();
    const { image } = await pushed(server);
    const access = clientOf(server);
    await access.attach(`${server.host}/acme/shop`, image.manifest.descriptor, artifact('a'));
    server.fault(
      ({ url = '' }) => url.includes('/referrers/'),
      (_request, response) => {
        response.setHeader('location', 'https://example.invalid/packages');
        json(response, status, {}, 'text/html');
        return true;
      },
    );
    expect(await access.referrers(`${server.host}/acme/shop`, image.manifest.descriptor.digest)).toHaveLength(1);
  });

  it('is found on later pages of the account too', async () => {
    const server = await here.registry({ referrers: true });
    const { image } = await pushed(server);
    const access = clientOf(server);
    await access.attach(`${server.host}/acme/shop`, image.manifest.descriptor, artifact('a'));
    server.fault(
      ({ url = '' }) => url.includes('/referrers/') && !url.includes('page='),
      (request, response) => {
        response.setHeader('link', `<${request.url}?page=2>; rel="next"`);
        return false;
      },
    );
    expect(await access.referrers(`${server.host}/acme/shop`, image.manifest.descriptor.digest)).toHaveLength(2);
  });
});

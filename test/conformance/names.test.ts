import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { inspect } from '../../src/inspect.js';
import { bubblewrap } from '../../src/sandbox/bubblewrap.js';
import { commitAll, git } from '../support/git.js';
import { buildpack, useProduct, writeFiles } from '../support/product.js';
import { ARCHITECTURE } from '../support/tiny-base.js';

const product = useProduct();
const FILES = { Procfile: 'web: echo hello\n' };
const platform = { os: 'linux', architecture: ARCHITECTURE };

async function skopeoCopy(from: string, to: string): Promise<void> {
  await promisify(execFile)('skopeo', ['copy', '--quiet', '--insecure-policy', from, to]);
}

describe('an image', () => {
  it('does not depend on how its buildpack was named', async () => {
    const home = await product.directory();
    await writeFiles(join(home, 'some/where'), buildpack({ compile: 'echo made > "$1/made"' }));
    const digests = new Set<string>();
    for (const name of ['some/where', './some/where', join(home, 'some/where')]) {
      const { result } = await product.build({ files: FILES, request: { cwd: home, buildpacks: [name] } });
      digests.add(result.digest);
      expect(result.app.buildpacks.map(({ id }) => id)).toEqual(['where']);
    }
    expect(digests.size).toBe(1);
  });

  it('says of a buildpack in a local repository no more than its name', async () => {
    const home = await product.directory();
    const repository = join(home, 'own.git');
    await writeFiles(repository, buildpack({ compile: 'true' }));
    await git(repository, 'init', '--quiet');
    await commitAll(repository);
    const { result } = await product.build({ files: FILES, request: { buildpacks: [`file://${repository}`] } });
    expect(result.app.buildpacks.map(({ id }) => id)).toEqual(['own.git']);
  });

  it('is the same from a link to the directory of the app', async () => {
    const home = await product.directory();
    await writeFiles(join(home, 'shop'), FILES);
    await symlink('shop', join(home, 'link'));
    const build = (source: string) =>
      product.build({ source, buildpacks: [buildpack({ compile: 'true' })] }).then(({ result }) => result.digest);
    expect(await build(join(home, 'link'))).toBe(await build(join(home, 'shop')));
  });
});

describe('a rebase', () => {
  it('knows layers that another tool has compressed anew', async () => {
    const { place } = await product.build({ files: FILES, buildpacks: [buildpack({ compile: 'true' })] });
    const home = await product.directory();
    await skopeoCopy(place, `docker-archive:${home}/through.tar:shop:1`);
    await skopeoCopy(`docker-archive:${home}/through.tar:shop:1`, `oci:${home}/back:1`);
    const direct = await product.rebase(place, { base: product.base().place('next') });
    const roundTrip = await product.rebase(`oci:${home}/back:1`, { base: product.base().place('next') });
    const diffIds = ({ image }: typeof direct) => image.config.value.rootfs.diff_ids;
    expect(diffIds(roundTrip)).toEqual(diffIds(direct));
  });

  it.each([
    ['oci-archive', 'image.tar:1', '1'],
    ['docker-archive', 'image.tar:example.com/shop:1', 'example.com/shop:1'],
  ])('in place keeps the name that an image has in an %s', async (kind, rest, name) => {
    const home = await product.directory();
    const request = { to: [`${kind}:${home}/${rest}`] };
    await product.build({ files: FILES, buildpacks: [buildpack({ compile: 'true' })], request });
    await product.rebase(`${kind}:${home}/image.tar`, { base: product.base().place('next'), to: [] });
    const tools = { sandbox: bubblewrap({ env: {} }), on: () => {}, env: {} };
    const found = await inspect({ image: `${kind}:${home}/image.tar`, platform, cacheDir: join(home, 'cache') }, tools);
    expect(found.name).toBe(name);
  });
});

import { describe, expect, it } from '@jest/globals';
import { labelsOf, layersOf } from '../../../src/oci/image.js';
import { RECORD_LABEL } from '../../../src/oci/record.js';
import { digestOf } from '../../../src/values/digest.js';
import { isFailure } from '../../../src/values/error.js';
import { buildpack, useProduct } from '../../support/product.js';
import { statusOf, type Tag } from '../../support/tiny-base.js';

const product = useProduct();
const { build, run, rebase } = product;

async function rebased(place: string, tag: Tag, more: Parameters<typeof rebase>[1] = {}) {
  const to = [`oci:${await product.directory()}/rebased:latest`];
  return { ...(await rebase(place, { base: product.base().place(tag), to, ...more })), place: to[0] as string };
}

async function refusal(place: string, tag: Tag, more: Parameters<typeof rebase>[1] = {}): Promise<string> {
  const error = await rebased(place, tag, more).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isFailure(error) ? error.code : String(error);
}

describe('what an image tells of its base', () => {
  it('R114 records the base, its layers, the stack, the platform, the user and what the app needs', async () => {
    const { result } = await build({ buildpacks: ['release-none'] });
    const record = JSON.parse(labelsOf(result.image)[RECORD_LABEL] ?? '');
    expect(record.base).toMatchObject({ name: 'run', digest: result.bases.run });
    expect(record.base.layers.map(({ diffId }: { diffId: string }) => diffId)).toEqual(
      layersOf(result.image)
        .slice(0, 1)
        .map(({ diffId }) => diffId),
    );
    expect(record.app).toMatchObject({ stack: 'debian-12', platform: { os: 'linux' }, user: '1000:1000' });
    expect(record.app.needs.paths).toContain('/bin/bash');
    expect(labelsOf(result.image)).toMatchObject({
      'io.buildpacks.stack.id': 'debian-12',
      'io.buildpacks.base.distro.name': 'debian',
      'io.buildpacks.base.distro.version': '12',
    });
  });

  it('R115 records which packages the build base had', async () => {
    const { result } = await build({ buildBase: 'build', buildpacks: ['release-none'] });
    const status = statusOf({ tiny: '1-1', 'tiny-dev': '1-1' });
    expect(result.app.buildBase.packages).toBe(digestOf(Buffer.from(status)));
  });

  it('R116 copies nothing of the base into the layers of the app', async () => {
    const copies = buildpack({ compile: 'ln -s /usr/bin/env "$1/env"; touch /tmp/x /app/y' });
    const { paths } = await build({ buildpacks: [copies] });
    expect(paths.filter((path) => !/^(app|pack-build)(\/|$)/.test(path))).toEqual([]);
  });

  it('R118 builds on one base and runs on another, of the same stack', async () => {
    const uses = buildpack({ compile: 'only-in-build > "$1/made"' });
    const spec = { files: { Procfile: 'web: cat made; type only-in-build\n' }, buildpacks: [uses] };
    const { result, place } = await build({ ...spec, base: 'run', buildBase: 'build' });
    expect(result.bases.run).not.toBe(result.bases.build);
    expect(result.app.buildBase.digest).toBe(result.bases.build);
    expect(await run(place)).toMatchObject({ code: 1, stdout: 'built\n' });
    const { error } = await product.fail({ ...spec, base: 'other-stack', buildBase: 'build' });
    expect(error.code).toBe('BASE_STACK_MISMATCH');
  });
});

describe('a rebase', () => {
  const app = { files: { Procfile: 'web: echo "$FROM_NEXT_BASE"; patched\n' }, buildpacks: ['release-web'] };

  it('R116 keeps the layers of the app and gives the image that a build on the new base would', async () => {
    const [before, direct] = [await build(app), await build({ ...app, base: 'next', buildBase: 'run' })];
    const after = await rebased(before.place, 'next');
    expect(after.digest).toBe(direct.result.digest);
    expect(await run(after.place)).toMatchObject({ code: 0, stdout: '1\npatched\n' });
    const back = await rebased(after.place, 'run', { waivers: { downgrade: true } });
    expect(back.digest).toBe(before.result.digest);
  });

  it('R114 refuses another stack, distribution, platform or user', async () => {
    const { place } = await build(app);
    expect([
      await refusal(place, 'other-stack'),
      await refusal(place, 'other-distro'),
      await refusal(place, 'other-uid'),
    ]).toEqual(['REBASE_STACK_MISMATCH', 'REBASE_DISTRO_MISMATCH', 'REBASE_UID_MISMATCH']);
    expect(await refusal(place, 'other-arch')).toMatch(/PLATFORM/);
  });

  it('R114 takes each of them, but for the platform, when it is accepted by name', async () => {
    const { place } = await build(app);
    for (const [tag, waiver] of [
      ['other-stack', 'stackChange'],
      ['other-distro', 'distroChange'],
      ['other-uid', 'uidChange'],
    ] as const) {
      expect(await refusal(place, tag, { waivers: { [waiver]: true } })).toBe('undefined');
    }
  });

  it('R117 refuses a base without bash, or without what links of the app lead to', async () => {
    const { place } = await build(app);
    expect(await refusal(place, 'without-bash')).toBe('BASE_UNUSABLE');
    const links = buildpack({ compile: 'ln -s /etc/patched "$1/link"; ln -s /etc/never "$1/dangling"' });
    const linked = await build({ base: 'next', buildpacks: [links] });
    expect(await refusal(linked.place, 'run')).toBe('REBASE_BASE_LACKS');
    expect(await refusal(linked.place, 'run', { waivers: { abiBreak: true } })).toBe('REBASE_DOWNGRADE');
    expect(await refusal(linked.place, 'run', { waivers: { abiBreak: true, downgrade: true } })).toBe('undefined');
    expect(await refusal(linked.place, 'next')).toBe('undefined');
  });
});

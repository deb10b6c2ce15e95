import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { detect } from '../../../src/detect.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { type BuildSpec, useProduct } from '../../support/product.js';

const product = useProduct();

/** No base is named, there is none in the cache, and nothing to make one with. */
const NO_BASE = { base: undefined, buildBase: undefined };
const NO_PROGRAMS = { PATH: '/nonexistent' };

describe('a build without a base', () => {
  it('begins to make one when nothing is to be refused', async () => {
    const env = { PATH: await product.directory() };
    symlinkSync('/usr/bin/bwrap', join(env.PATH, 'bwrap'));
    const { error } = await product.fail({ buildpacks: ['detects-always'], request: NO_BASE, env });
    expect(error).toMatchObject({ code: 'TOOL_MISSING', details: { program: 'mmdebstrap' } });
  });

  it.each<readonly [string, string, BuildSpec]>([
    ['a buildpack that is not there', 'BUILDPACK_NOT_FOUND', { buildpacks: ['./none'] }],
    ['a directory that is no buildpack', 'BUILDPACK_INVALID', { buildpacks: [{ 'bin/detect': '' }] }],
    ['a misspelt name of a buildpack', 'REFERENCE_INVALID', { request: { buildpacks: ['nodjs'] } }],
    ['a bad line of .buildpacks', 'REFERENCE_INVALID', { files: { '.buildpacks': 'nodjs\n' } }],
    ['a malformed app.json', 'CONFIG_INVALID', { files: { 'app.json': '{' } }],
    ['a config var that can be no file', 'ENV_INVALID', { configVars: { 'A/B': '1' } }],
    ['a variable that names a directory of the sandbox', 'ENV_INVALID', { buildEnv: { HOME: '/x' } }],
    ['a malformed lock', 'LOCK_INVALID', { files: { 'pack-build.lock': '{' } }],
    ['a place that cannot be written to', 'STORE_FAILED', { request: { to: ['oci:/proc/version/x:v1'] } }],
  ])('refuses %s before it makes one', async (_, code, spec) => {
    const { error } = await product.fail({ ...spec, request: { ...NO_BASE, ...spec.request }, env: NO_PROGRAMS });
    expect(error.code).toBe(code);
  });

  it('refuses to write the image into the app before it makes one', async () => {
    const source = await product.directory();
    const request = { ...NO_BASE, to: [`oci:${source}/image:v1`] };
    expect((await product.fail({ source, request, env: NO_PROGRAMS })).error.code).toBe('PLACE_IN_SOURCE');
  });

  it('says what each bundled buildpack looked for, as with a base', async () => {
    const [early, late] = [
      await product.fail({ files: { 'notes.txt': '' }, request: NO_BASE }),
      await product.fail({ files: { 'notes.txt': '' } }),
    ].map(({ error }) => error.why);
    expect(early).toBe(late);
    expect(early).toContain('not a Node.js app');
  });

  it('is refused where there is no sandbox to build in', async () => {
    const { error } = await product.fail({ buildpacks: ['detects-always'], request: NO_BASE, env: NO_PROGRAMS });
    expect(error.code).toBe('SANDBOX_MISSING');
  });

  it('is refused as early where only detection is asked for', async () => {
    const request = { source: await product.directory(), cacheDir: product.cacheDir(), buildpacks: ['./none'] };
    const platform = { os: 'linux', architecture: 'amd64' };
    const tools = { sandbox: hostSandbox(), env: NO_PROGRAMS, on: () => undefined };
    await expect(detect({ ...request, platform }, tools)).rejects.toMatchObject({ code: 'BUILDPACK_NOT_FOUND' });
  });
});

import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findSource } from '../../../src/steps/take-source.js';
import { removeTree } from '../../../src/system/remove.js';

let home = '';
beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'pack-build-find-')));
  await mkdir(join(home, 'shop'));
  await symlink('shop', join(home, 'linked'));
  await writeFile(join(home, 'file'), '');
});
afterAll(() => removeTree(home));

describe('findSource', () => {
  it('takes a relative source from cwd, and calls it by its real name', async () => {
    expect(await findSource({ source: 'linked', cwd: home })).toEqual({ source: join(home, 'shop'), cwd: home });
  });

  it('has the app itself for cwd when there is none', async () => {
    const source = join(home, 'shop');
    expect(await findSource({ source })).toEqual({ source, cwd: source });
  });

  it.each([
    [{ source: 'shop' }, 'it is relative, and there is no cwd'],
    [{ source: 'shop', cwd: 'here' }, 'it is relative, and so is cwd, here'],
  ])('refuses to guess where %j is', async (request, why) => {
    await expect(findSource(request)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', why });
  });

  it.each([
    ['none', 'it does not exist'],
    ['file', 'it is not a directory'],
  ])('finds no app in %s', async (source, why) => {
    await expect(findSource({ source, cwd: home })).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', why });
  });
});

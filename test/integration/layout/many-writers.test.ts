import { execFile } from 'node:child_process';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../../src/blobs/directory-store.js';
import { isWhole } from '../../../src/blobs/is-whole.js';
import { openSource, openTarget } from '../../../src/layout/places.js';
import { layersOf } from '../../../src/oci/image.js';
import { removeTree } from '../../../src/system/remove.js';
import { parsePlace } from '../../../src/values/place.js';
import { compileSources } from '../../support/compiled.js';
import { storedImage } from '../../support/image.js';

const PRELOAD = join(process.cwd(), 'test/support/fault-preload.mjs');
const amd64 = { os: 'linux', architecture: 'amd64' };

/** A process that writes its ten images, each under a tag of its own. */
const WRITER = `
  import { directoryStore } from './blobs/directory-store.js';
  import { openSource, openTarget } from './layout/places.js';
  import { parsePlace } from './values/place.js';
  const [from, to, writer] = process.argv.slice(2);
  for (let n = 0; n < 10; n += 1) {
    const { image, blobs } = await openSource(parsePlace(from + ':w' + writer + '-' + n)).find({ os: 'linux', architecture: 'amd64' });
    await openTarget(parsePlace(to + ':w' + writer + '-' + n)).put(image, blobs);
  }
`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pack-build-writers-'));
  await compileSources(join(dir, 'lib'), ['values', 'oci', 'system', 'archive', 'blobs', 'layout']);
  await writeFile(join(dir, 'lib/writer.js'), WRITER);
});
afterAll(() => removeTree(dir));

/** Runs a writer, which with `fault` dies. True if it came to its end. */
function write(writer: number, fault = ''): Promise<boolean> {
  const args = ['--import', PRELOAD, join(dir, 'lib/writer.js'), `oci:${dir}/from`, `oci:${dir}/to`, `${writer}`];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: { FAULT: fault } }, (error, _, stderr) => {
      if (error === null) resolve(true);
      else if (error.signal === 'SIGKILL') resolve(false);
      else reject(new Error(stderr));
    });
  });
}

describe('one layout that many processes write to', () => {
  it('FLT-3 has the 200 tags of 20 writers, and is whole, although six others are killed among them', async () => {
    const store = directoryStore(join(dir, 'store'));
    const tags = Array.from({ length: 26 * 10 }, (_, n) => `w${Math.floor(n / 10)}-${n % 10}`);
    for (const tag of tags)
      await openTarget(parsePlace(`oci:${dir}/from:${tag}`)).put(await storedImage(store, ['shared', tag]), store);

    const deaths = ['kill@9', 'kill@25', 'kill@47', 'kill@80', 'kill@121', 'kill@160'];
    const ended = await Promise.all(Array.from({ length: 26 }, (_, at) => write(at, deaths[at - 20])));
    expect(ended).toEqual([...Array(20).fill(true), ...Array(6).fill(false)]);

    const { whole } = await openSource(parsePlace(`oci:${dir}/to:w0-0`), store).findWhole();
    await openTarget(parsePlace(`oci:${dir}/to:last`)).put(whole, directoryStore(join(dir, 'to/blobs')));
    const layout = directoryStore(join(dir, 'to/blobs'));
    let found = 0;
    for (const tag of tags) {
      const source = openSource(parsePlace(`oci:${dir}/to:${tag}`), store);
      const image = await source.find(amd64).then(
        (one) => one.image,
        () => undefined,
      );
      if (image === undefined) continue;
      found += 1;
      for (const { descriptor } of layersOf(image)) expect(await isWhole(descriptor, layout)).toBe(true);
    }
    expect(found).toBeGreaterThanOrEqual(200);
    for (const tag of tags.slice(0, 200)) await openSource(parsePlace(`oci:${dir}/to:${tag}`), store).find(amd64);
    // The last writer has swept what the killed ones left.
    expect((await readdir(join(dir, 'to'))).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect((await readdir(join(dir, 'to/blobs/sha256'))).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
    expect((await readdir(dir)).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

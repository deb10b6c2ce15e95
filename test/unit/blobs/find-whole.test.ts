import { describe, expect, it } from '@jest/globals';
import { readWhole } from '../../../src/blobs/find-whole.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { digestOfWhole, imagesOf } from '../../../src/oci/image-index.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import type { Descriptor } from '../../../src/values/descriptor.js';
import { digestOf } from '../../../src/values/digest.js';
import { storedRelease } from '../../support/release.js';

const MIB = 1024 * 1024;

/** An index with manifests of so many bytes, as whoever wants our memory would make it. */
async function hugeIndex(children: number, bytes: number, inner = 1) {
  const store = memoryStore();
  const [image] = imagesOf((await storedRelease(store, '1', ['amd64'])).index);
  if (image === undefined) throw new Error('the release has an image');
  await store.write(image.config.descriptor, [image.config.bytes]);
  const write = async (mediaType: string, value: object, more: object = {}): Promise<Descriptor> => {
    const blob = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value }));
    const descriptor = { mediaType, digest: digestOf(blob), size: blob.byteLength };
    await store.write(descriptor, [blob]);
    return { ...descriptor, ...more };
  };
  const { mediaType } = image.manifest.descriptor;
  const { config, layers } = image.manifest.value;
  const manifests: Descriptor[] = [];
  for (let child = 0; child < children; child += 1) {
    const annotations = { child: `${child}`.padEnd(bytes, ' ') };
    manifests.push(await write(mediaType, { config, layers, annotations }));
  }
  const nested: Descriptor[] = [];
  for (let part = 0; part < inner; part += 1) {
    const some = manifests.filter((_, at) => at % inner === part);
    nested.push(inner === 1 ? (some[0] as Descriptor) : await write(OCI_INDEX, { manifests: some }));
  }
  const top = await write(OCI_INDEX, { manifests: inner === 1 ? manifests : nested });
  let [running, most, begun] = [0, 0, 0];
  const read = async (descriptor: Descriptor) => {
    running += 1;
    begun += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return store.read(descriptor);
  };
  return { store, top, manifests, read, seen: () => ({ running, most, begun }) };
}

describe('readWhole', () => {
  it.each([1, 3])('reads a few documents at once, however many an index names, in %d parts', async (inner) => {
    const { top, read, seen } = await hugeIndex(60, 10, inner);
    const whole = await readWhole(top, { read }, 'oci:there');
    expect([digestOfWhole(whole), imagesOf(whole).length]).toEqual([top.digest, 60]);
    expect(seen().most).toBeLessThanOrEqual(8);
  });

  it.each([1, 3])('reads so many bytes of documents and no more, in %d parts', async (inner) => {
    const { top, read, seen } = await hugeIndex(60, MIB, inner);
    await expect(readWhole(top, { read }, 'oci:there')).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: 'oci:there has documents that are too large in all',
      why: 'manifests and configs of an index are read to 32 MiB',
    });
    expect(seen().begun).toBeLessThan(80);
  });

  it('begins no more reads once one of them has failed, and leaves none under way', async () => {
    const { top, manifests, read, seen } = await hugeIndex(60, 10);
    const broken = async (descriptor: Descriptor) => {
      if (descriptor.digest === manifests[1]?.digest) throw new Error('broken');
      return read(descriptor);
    };
    await expect(readWhole(top, { read: broken }, 'oci:there')).rejects.toThrow('broken');
    const { begun, running } = seen();
    expect([begun < 20, running]).toEqual([true, 0]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(seen().begun).toBe(begun);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findImage } from '../../../src/blobs/find-image.js';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import { verified } from '../../../src/blobs/verified.js';
import { parseConfig, parseIndex, parseManifest } from '../../../src/oci/documents.js';
import { layersOf } from '../../../src/oci/image.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { digestOf } from '../../../src/values/digest.js';
import { documentOf } from '../../../src/values/document.js';
import { isFailure } from '../../../src/values/error.js';

const digest = `sha256:${'a'.repeat(64)}`;
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 };
const manifest = { schemaVersion: 2, config: { mediaType: OCI_CONFIG, digest, size: 2 }, layers: [layer] };
const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] } };
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const manifestOf = (value: unknown) => parseManifest(bytes(value), OCI_MANIFEST);
const configOf = (value: unknown) => parseConfig(bytes(value), OCI_CONFIG);
const withLayer = (over: object) => ({ ...manifest, layers: [{ ...layer, ...over }] });
const running = (over: object) => ({ ...config, config: over });

function refusal(read: () => unknown): { readonly message: string; readonly why: string | undefined } {
  try {
    read();
  } catch (error) {
    if (isFailure(error, 'IMAGE_INVALID')) return { message: error.message, why: error.why };
    throw error;
  }
  throw new Error('it was taken');
}

describe('a hostile document', () => {
  it.each<readonly [string, unknown, string]>([
    ['is an index too', { ...manifest, manifests: [] }, 'a document claims to be both a manifest and an index'],
    [
      'states another type',
      { ...manifest, mediaType: OCI_INDEX },
      'the manifest states another media type than it was found under',
    ],
  ])('DOC-1 is refused when it %s', (_, value, message) => {
    expect(refusal(() => manifestOf(value)).message).toBe(message);
  });

  it.each([
    ['goes up', 'sha256:../../etc/passwd'],
    ['has capitals', `sha256:${'A'.repeat(64)}`],
    ['is short', 'sha256:ab'],
    ['is long', `sha256:${'a'.repeat(65)}`],
    ['is of another kind', `md5:${'a'.repeat(32)}`],
    ['has a line break', `${digest}\n`],
    ['is a number', 1],
  ])('DOC-3 is refused for a digest that %s', (_, value) => {
    expect(refusal(() => manifestOf(withLayer({ digest: value }))).message).toBe(
      `manifest: layers[0].digest: ${JSON.stringify(value)} is not a digest`,
    );
  });

  it.each(['-1', '1.5', '9007199254740992', '1e400', '"3"', 'null'])('DOC-4 is refused for a size of %s', (size) => {
    const text = JSON.stringify(withLayer({ size: '?' })).replace('"?"', size);
    expect(refusal(() => manifestOf(text)).message).toBe(
      'manifest: layers[0].size must be a whole number of at least 0',
    );
  });

  it.each([0, 2])('DOC-5 is refused when there are %d diff ids for one layer', (count) => {
    const rootfs = { type: 'layers', diff_ids: Array.from({ length: count }, () => digest) };
    const image = { manifest: manifestOf(manifest), config: configOf({ ...config, rootfs }) };
    expect(refusal(() => layersOf(image))).toEqual({
      message: 'the manifest and the config of the image disagree about its layers',
      why: `1 layers, ${count} diff ids`,
    });
  });

  it.each<readonly [string, string, string]>([
    ['has a member twice', '{"schemaVersion":2,"layers":[],"layers":[]}', 'manifest has the member "layers" twice'],
    [
      'has a member twice, once escaped',
      '{"layers":[],"l\\u0061yers":[]}',
      'manifest has the member "l\\u0061yers" twice',
    ],
    ['has a member twice deep inside', '{"a":[{"b":{"c":1 ,"d":2,"c" : 3}}]}', 'manifest has the member "c" twice'],
    ['has half a surrogate pair', '{"a":"\\ud800"}', 'manifest has text that is not Unicode'],
    ['begins with a byte order mark', '\ufeff{}', 'manifest is not JSON'],
    ['goes on after its end', '{} {}', 'manifest is not JSON'],
    ['has what is no number', '{"a":NaN}', 'manifest is not JSON'],
    ['is nested too deep', '['.repeat(65) + ']'.repeat(65), 'manifest is nested more than 64 levels deep'],
  ])('DOC-7 is refused when it %s', (_, text, message) => {
    expect(refusal(() => manifestOf(text)).message).toBe(message);
  });

  it('DOC-7 has members of the same name in objects of their own', () => {
    const twice = { ...manifest, annotations: { a: 'b', b: 'a', '{': '}', 'a":': '[' } };
    expect(manifestOf({ ...twice, layers: [layer, layer] }).value.layers).toHaveLength(2);
  });

  it('DOC-7 never refuses what JSON.stringify writes, and always what has a member twice', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'grapheme' }), (value, name) => {
        expect(manifestOf({ ...manifest, more: value }).value['more']).toEqual(value ?? undefined);
        const text = JSON.stringify({ [name]: value }).slice(1, -1);
        if (name === '__proto__') return;
        expect(refusal(() => manifestOf(`{${text},${text}}`)).message).toContain('twice');
      }),
      { seed: 7 },
    );
  });

  it('DOC-7 takes no time that grows with its square', () => {
    const from = performance.now();
    expect(() => manifestOf(`{${Array.from({ length: 200_000 }, (_, n) => `"${n}":0`).join(',')}}`)).toThrow(
      'schema version',
    );
    expect(() => manifestOf(`["${'\\\\'.repeat(1_000_000)}"]`)).toThrow('manifest');
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it('DOC-9 is refused for data that its digest does not name', () => {
    const data = Buffer.from('abc');
    const right = { digest: digestOf(data), size: 3, data: data.toString('base64') };
    expect(manifestOf(withLayer(right)).value.layers).toHaveLength(1);
    for (const wrong of [
      { ...right, data: 'YWJk' },
      { ...right, data: 'YWJj=' },
      { ...right, data: '' },
      { ...right, digest },
    ]) {
      expect(refusal(() => manifestOf(withLayer(wrong))).message).toBe(
        'manifest: layers[0].data is not what the descriptor names',
      );
    }
  });

  it('DOC-10 is refused when it is an index in an index without end', async () => {
    const store = memoryStore();
    let inner = { mediaType: OCI_MANIFEST, digest, size: 2 } as object;
    for (let depth = 0; depth < 6; depth += 1) {
      const platform = { os: 'linux', architecture: 'amd64' };
      const index = documentOf({ schemaVersion: 2, manifests: [{ ...inner, platform }] }, OCI_INDEX);
      await store.write(index.descriptor, [index.bytes]);
      inner = index.descriptor;
    }
    const { descriptor } = documentOf(inner, OCI_INDEX);
    await expect(
      findImage(
        { ...descriptor, ...(inner as typeof descriptor) },
        { os: 'linux', architecture: 'amd64' },
        store,
        'oci:x',
      ),
    ).rejects.toMatchObject({ code: 'IMAGE_INVALID', message: 'oci:x: indexes are nested more than 4 levels deep' });
  });

  it('DOC-10 is read when it names a hundred thousand images', () => {
    const manifests = Array.from({ length: 20_000 }, () => ({ mediaType: OCI_MANIFEST, digest, size: 2 }));
    expect(parseIndex(bytes({ schemaVersion: 2, manifests }), OCI_INDEX).value.manifests).toHaveLength(20_000);
  });

  it('DOC-11 is refused when it is of schema 1', () => {
    expect(refusal(() => manifestOf({ ...manifest, schemaVersion: 1 }))).toEqual({
      message: 'the manifest has a schema version that cannot be read',
      why: 'expected 2, found 1',
    });
  });

  it.each<readonly [string, object, string]>([
    ['Env with a NUL', { Env: ['A=b\0c'] }, 'config: config.Env has a NUL'],
    ['a command that is a text', { Cmd: 'run' }, 'config: config.Cmd must be a list'],
    ['a label with a NUL', { Labels: { a: '\0' } }, 'config: config.Labels has a NUL'],
    ['a user with a NUL', { User: 'root\0' }, 'config: config.User has a NUL'],
    [
      'port 70000',
      { ExposedPorts: { '70000/tcp': {} } },
      'config: config.ExposedPorts must name a port, such as 8080/tcp',
    ],
    ['port 0', { ExposedPorts: { '0': {} } }, 'config: config.ExposedPorts must name a port, such as 8080/tcp'],
    [
      'a port that is a word',
      { ExposedPorts: { http: {} } },
      'config: config.ExposedPorts must name a port, such as 8080/tcp',
    ],
    ['a volume that goes up', { Volumes: { '/../etc': {} } }, 'config: config.Volumes must name paths without `..`'],
  ])('DOC-14 is refused for %s', (_, over, message) => {
    expect(refusal(() => configOf(running(over))).message).toBe(message);
  });

  it('DOC-14 is read for what Docker writes, and for odd settings that can be used', () => {
    const over = {
      Env: ['PATH=/bin', 'EMPTY=', 'NOTHING', 'LINES=a\nb', 'TEXT=\\u0000'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000-8010': {} },
      Volumes: { '/data': {}, '/a..b': {} },
    };
    expect(configOf(running(over)).value.config).toEqual(over);
  });
});

describe('DOC-2 a body', () => {
  const descriptor = { mediaType: 'x', digest: digestOf(Buffer.from('abc')), size: 3 };
  const read = async (chunks: Iterable<Uint8Array>) => {
    const all: Uint8Array[] = [];
    for await (const chunk of verified(chunks, descriptor, 'there')) all.push(chunk);
    return Buffer.concat(all).toString();
  };

  it.each([
    ['one byte short', 'ab', '3 bytes expected, 2 found'],
    ['one byte long', 'abcd', 'there are more than the 3 bytes expected'],
    ['another', 'abd', `${descriptor.digest} expected, ${digestOf(Buffer.from('abd'))} found`],
  ])('is refused when it is %s', async (_, text, why) => {
    await expect(read([Buffer.from(text)])).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', why });
  });

  it('is left as soon as it is too long', async () => {
    let sent = 0;
    function* endless() {
      for (;;) {
        sent += 1;
        yield Buffer.from('a');
      }
    }
    await expect(read(endless())).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(sent).toBe(4);
  });
});

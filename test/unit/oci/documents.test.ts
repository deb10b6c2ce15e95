import { describe, expect, it } from '@jest/globals';
import { MAX_DOCUMENT_BYTES, parseConfig, parseIndex, parseManifest } from '../../../src/oci/documents.js';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { digestOf } from '../../../src/values/digest.js';

const digest = `sha256:${'a'.repeat(64)}`;
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 };
const manifest = {
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: OCI_CONFIG, digest, size: 2 },
  layers: [layer],
};
const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] } };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const invalid = expect.objectContaining({ code: 'IMAGE_INVALID' });

describe('parseManifest', () => {
  it('keeps the exact bytes and their digest', () => {
    const text = Buffer.from(`  ${JSON.stringify(manifest)}\n`);
    const document = parseManifest(text, OCI_MANIFEST);
    expect(document.bytes).toBe(text);
    expect(document.descriptor).toEqual({ mediaType: OCI_MANIFEST, digest: digestOf(text), size: text.byteLength });
    expect(document.value.layers).toEqual([layer]);
  });

  it('takes a manifest that leaves its media type out', () => {
    const { mediaType: _, ...bare } = manifest;
    expect(parseManifest(bytes(bare), OCI_MANIFEST).value.layers).toHaveLength(1);
  });

  it.each<readonly [string, unknown, string]>([
    ['found under another media type', manifest, DOCKER_MANIFEST],
    ['found as an index', manifest, OCI_INDEX],
    ['that is an index too', { ...manifest, manifests: [] }, OCI_MANIFEST],
    ['of schema 1', { ...manifest, schemaVersion: 1 }, OCI_MANIFEST],
    ['without layers', { ...manifest, layers: undefined }, OCI_MANIFEST],
    ['without a config', { ...manifest, config: null }, OCI_MANIFEST],
    ['with a layer of negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }, OCI_MANIFEST],
    ['with a layer of half a byte', { ...manifest, layers: [{ ...layer, size: 1.5 }] }, OCI_MANIFEST],
    ['with a layer of unimaginable size', { ...manifest, layers: [{ ...layer, size: 2 ** 60 }] }, OCI_MANIFEST],
    ['with a digest of another kind', { ...manifest, layers: [{ ...layer, digest: 'md5:1' }] }, OCI_MANIFEST],
    ['with an annotation that is no text', { ...manifest, annotations: { a: 1 } }, OCI_MANIFEST],
    ['that is a list', [], OCI_MANIFEST],
  ])('refuses a document %s', (_, value, mediaType) => {
    expect(() => parseManifest(bytes(value), mediaType)).toThrow(invalid);
  });

  it('names the place of what is wrong', () => {
    const wrong = { ...manifest, layers: [layer, { ...layer, size: 'many' }] };
    expect(() => parseManifest(bytes(wrong), OCI_MANIFEST)).toThrow('manifest: layers[1].size must be');
  });

  it('reads up to 4 MiB and no more', () => {
    const padded = (size: number) => Buffer.concat([bytes(manifest), Buffer.alloc(size, ' ')]).subarray(0, size);
    expect(parseManifest(padded(MAX_DOCUMENT_BYTES), OCI_MANIFEST).value.schemaVersion).toBe(2);
    expect(() => parseManifest(padded(MAX_DOCUMENT_BYTES + 1), OCI_MANIFEST)).toThrow(invalid);
  });
});

describe('parseIndex', () => {
  const index = { schemaVersion: 2, manifests: [{ ...layer, mediaType: OCI_MANIFEST, platform: config }] };

  it.each([OCI_INDEX, DOCKER_LIST])('reads an index of type %s with the platforms of its entries', (mediaType) => {
    const { manifests } = parseIndex(bytes({ ...index, mediaType }), mediaType).value;
    expect(manifests[0]?.platform).toMatchObject({ os: 'linux', architecture: 'amd64' });
  });

  it('keeps members that it does not know, of the index, its entries and their platforms', () => {
    const more = { 'x-more': { a: [1] } };
    const entry = { ...layer, ...more, mediaType: OCI_MANIFEST, platform: { ...config, 'os.features': ['win32k'] } };
    const { value } = parseIndex(bytes({ ...index, ...more, manifests: [entry], annotations: null }), OCI_INDEX);
    expect(value).toMatchObject({ ...more, manifests: [entry] });
    expect(value).not.toHaveProperty('annotations');
  });

  it.each(['layers', 'config'])('refuses an index that has `%s` like a manifest', (member) => {
    expect(() => parseIndex(bytes({ ...index, [member]: [] }), OCI_INDEX)).toThrow(invalid);
  });
});

describe('parseConfig', () => {
  it('keeps members that it does not know', () => {
    const { value } = parseConfig(
      bytes({ ...config, 'os.version': '1', config: { Volumes: { '/a': {} } } }),
      OCI_CONFIG,
    );
    expect(value['os.version']).toBe('1');
    expect(value.config?.['Volumes']).toEqual({ '/a': {} });
  });

  it('takes null for absent, as Docker writes it', () => {
    const nulls = { ...config, history: null, variant: null, config: { Env: null, Labels: null, Entrypoint: null } };
    expect(parseConfig(bytes(nulls), OCI_CONFIG).value).toEqual({ ...config, config: {} });
  });

  it.each<readonly [string, unknown]>([
    ['Cmd is no list', { ...config, config: { Cmd: 'run' } }],
    ['Env holds a number', { ...config, config: { Env: [1] } }],
    ['a label is no text', { ...config, config: { Labels: { a: null } } }],
    ['a diff id is none', { ...config, rootfs: { type: 'layers', diff_ids: ['sha256:1'] } }],
    ['rootfs is missing', { ...config, rootfs: undefined }],
    ['os is missing', { ...config, os: undefined }],
    ['history is no list', { ...config, history: {} }],
    ['an entry of history is no object', { ...config, history: ['x'] }],
  ])('refuses a config whose %s', (_, value) => {
    expect(() => parseConfig(bytes(value), OCI_CONFIG)).toThrow(invalid);
  });
});

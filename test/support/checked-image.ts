import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { compressorOf } from '../../src/archive/compressor.js';
import { writeTar } from '../../src/archive/tar-write.js';
import { memoryStore } from '../../src/blobs/memory-store.js';
import { cacheAt } from '../../src/cache/cache.js';
import type { ImageConfig } from '../../src/oci/documents.js';
import type { Image, Layer } from '../../src/oci/image.js';
import { layerTypeOf } from '../../src/oci/media-types.js';
import { checkImage } from '../../src/policy/check-image.js';
import type { Policy } from '../../src/policy/policy.js';
import type { KnownBase } from '../../src/policy/scan.js';
import type { Violation } from '../../src/policy/violation.js';
import { scansOf } from '../../src/steps/check-policy.js';
import type { Descriptor } from '../../src/values/descriptor.js';
import { digestOf, parseDiffId } from '../../src/values/digest.js';
import { documentOf } from '../../src/values/document.js';
import { imageOf } from './arbitrary.js';
import type { Part } from './layer-tar.js';
import { bytesOf } from './tar.js';

/** What is special about an image; all else is as it should be. */
export interface ImageParts {
  /** Lowest first. A layer is a list of entries, or the bytes of its tar. */
  readonly layers?: readonly (readonly Part[] | Buffer)[];
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /** Of each layer's descriptor. */
  readonly descriptor?: Partial<Descriptor>;
  readonly config?: Partial<ImageConfig>;
  /** Of the config's `config`. */
  readonly run?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly base?: KnownBase;
}

export const NOW = Date.UTC(2026, 0, 1);

/** An image in a store, with the tars of its layers. */
export async function madeImage(parts: ImageParts) {
  const { layers: contents = [[]], compression = 'gzip', descriptor = {}, config = {}, run = {} } = parts;
  const store = memoryStore();
  const layers: Layer[] = [];
  for (const content of contents) {
    const tar = Buffer.isBuffer(content) ? content : await bytesOf(writeTar(content));
    const blob = await compressed(tar, compression);
    const stored = { mediaType: layerTypeOf(compression), digest: digestOf(blob), size: blob.byteLength };
    await store.write(stored, [blob]);
    layers.push({ descriptor: { ...stored, ...descriptor }, diffId: parseDiffId(digestOf(tar)) });
  }
  const diff_ids = layers.map(({ diffId }) => diffId);
  const whole = { os: 'linux', architecture: 'amd64', config: { User: '1000:1000', ...run }, ...config };
  const made = imageOf({ ...whole, rootfs: { type: 'layers', diff_ids } } as ImageConfig, layers);
  const { annotations } = parts;
  const manifest = documentOf(
    { ...made.manifest.value, ...(annotations && { annotations }) },
    made.manifest.descriptor.mediaType,
  );
  const image: Image = { ...made, manifest };
  return { image, store };
}

/** What a policy says of such an image. */
export async function violationsOf(parts: ImageParts, policy: Policy): Promise<readonly Violation[]> {
  const { image, store } = await madeImage(parts);
  const directory = await mkdtemp(join(tmpdir(), 'pack-build-policy-'));
  try {
    const scans = await scansOf(image, store, cacheAt(directory), {});
    return checkImage({ image, scans, base: parts.base, now: NOW }, policy);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function compressed(tar: Buffer, compression: 'none' | 'gzip' | 'zstd'): Promise<Buffer> {
  if (compression === 'gzip') return gzipSync(tar);
  return compression === 'none' ? tar : bytesOf(compressorOf('zstd').compress(chunksOf(tar)));
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A tar of entries that have extended attributes, as pax headers tell them. */
export async function tarWithAttributes(
  entries: readonly { readonly part: Part; readonly attributes: readonly string[]; readonly prefix?: string }[],
): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (const { part, attributes, prefix = 'SCHILY.xattr.' } of entries) {
    const records = attributes.map((name) => paxRecord(`${prefix}${name}`, 'value')).join('');
    if (records !== '') blocks.push(await paxHeader(records));
    blocks.push(await withoutEnd([part]));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const digits = String(bytes + String(bytes + 3).length).length;
  return `${bytes + digits}${rest}`;
}

export async function paxHeader(records: string, type = 'x'): Promise<Buffer> {
  const content = Buffer.from(records);
  const header = await withoutEnd([
    [{ path: 'PaxHeader', type: 'file', mode: 0o644, uid: 0, gid: 0, size: content.byteLength }, content],
  ]);
  header.write(type, 156, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

async function withoutEnd(parts: readonly Part[]): Promise<Buffer> {
  const tar = await bytesOf(writeTar(parts));
  const content = parts.reduce((sum, [{ size }]) => sum + 512 + Math.ceil(size / 512) * 512, 0);
  return Buffer.from(tar.subarray(0, content));
}

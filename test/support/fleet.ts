import { createHash } from 'node:crypto';
import { memoryStore } from '../../src/blobs/memory-store.js';
import { unionOf } from '../../src/blobs/union.js';
import { packLayer } from '../../src/layers/pack.js';
import type { App } from '../../src/oci/app.js';
import { assemble } from '../../src/oci/assemble.js';
import type { Image, Layer } from '../../src/oci/image.js';
import { type Registries, registries } from '../../src/registry/access.js';
import type { Digest } from '../../src/values/digest.js';
import { imageOf } from './arbitrary.js';
import { appOf } from './image.js';
import { files, statusOf } from './tiny-base.js';

/** Two bases in a registry that have no layer in common, and apps that can be put on the first one, each in its own repository. */
export interface Fleet {
  /** `HOST/acme/base@sha256:…` before and after the patch, for this or another way to the same registry. */
  readonly bases: (host: string) => { readonly old: string; readonly next: string };
  /** Layers of the patched base. */
  readonly baseLayers: number;
  /** Puts an app on the first base to `HOST/NAME:1`. */
  readonly deploy: (name: string) => Promise<void>;
}

export interface FleetOptions {
  /** Files of each base. */
  readonly files: number;
  /** Bytes of the part of an app that is the same in all. */
  readonly runtimeBytes: number;
}

/** Fills the registry at `host`. All layers are larger than any config. */
export async function makeFleet(host: string, { files: many, runtimeBytes }: FleetOptions): Promise<Fleet> {
  const access = registries({ env: {}, insecure: [host] });
  const store = memoryStore();
  const old = await pushBase(access, `${host}/acme/base:1`, 'one', many);
  const next = await pushBase(access, `${host}/acme/base:2`, 'two', many);
  const pack = async (name: string, bytes: number) => ({
    name,
    ...(await packLayer(files({ [`app/${name}`]: noise(name, bytes) }), { store })),
  });
  const runtime = await pack('runtime', runtimeBytes);
  const found = await access.source(`${host}/acme/base:1`, store).find({ os: 'linux', architecture: 'amd64' });
  const at = (given: string, image: Image) => `${given}/acme/base@${digestOfImage(image)}`;
  return {
    bases: (given) => ({ old: at(given, old), next: at(given, next) }),
    baseLayers: LAYERS,
    deploy: async (name) => {
      const app: App = { ...appOf(), layers: [runtime, await pack(`source-${name.replaceAll('/', '-')}`, 100_000)] };
      const { image } = assemble(found, { ...app, needs: NEEDS });
      await access.target(`${host}/${name}:1`).put(image, unionOf(store, found.blobs));
    },
  };
}

const LAYERS = 3;
const NEEDS = { paths: ['/bin/bash'], libraries: ['libc.so.6'], versions: {} };
const digestOfImage = ({ manifest }: Image): Digest => manifest.descriptor.digest;

/** A base of three layers, all its own: files by the thousand, packages, and what every app needs. */
async function pushBase(access: Registries, reference: string, seed: string, many: number): Promise<Image> {
  const store = memoryStore();
  const version = seed === 'one' ? '1-1' : '1-2';
  const packages = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`package-${n}`, version]));
  const needed = { 'bin/bash': '#!', 'lib/libc.so.6': seed, 'var/lib/dpkg/status': statusOf(packages) };
  const layers: Layer[] = [];
  for (let at = 0; at < LAYERS; at += 1) {
    const names = Array.from({ length: Math.ceil(many / LAYERS) }, (_, n) => `usr/share/${at}/${n % 100}/file-${n}`);
    const own = { [`usr/bulk-${at}`]: noise(`${seed}${at}`, 200_000) };
    const texts = Object.fromEntries(names.map((name) => [name, `${seed} ${name}\n`]));
    layers.push(await packLayer([TMP, ...files({ ...(at === 0 ? needed : {}), ...own, ...texts })], { store }));
  }
  const image = imageOf(
    {
      os: 'linux',
      architecture: 'amd64',
      config: { Env: ['PATH=/usr/bin:/bin'], User: '1000:1000', Labels: { 'io.buildpacks.stack.id': 'heroku-24' } },
      // Other tools find the layers by it.
      history: layers.map((_, at) => ({ created_by: `${seed} ${at}` })),
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    },
    layers,
  );
  await access.target(reference).put(image, store);
  return image;
}

const TMP = { type: 'directory', path: 'tmp', mode: 0o1777, uid: 0, gid: 0 } as const;

/** Bytes that no compression makes smaller, the same for the same seed. */
function noise(seed: string, bytes: number): Uint8Array {
  const block = (n: number) => createHash('sha512').update(`${seed} ${n}`).digest();
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / 64) }, (_, n) => block(n))).subarray(0, bytes);
}

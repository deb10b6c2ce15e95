import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { memoryStore } from '../../../src/blobs/memory-store.js';
import type { Image } from '../../../src/oci/image.js';
import { type Registries, registries } from '../../../src/registry/access.js';
import type { RegistryOptions } from '../../../src/registry/options.js';
import type { Event } from '../../../src/values/events.js';
import { storedImage } from '../../support/image.js';
import {
  type RegistryOptions as ServerOptions,
  serve,
  serveRegistry,
  type TestRegistry,
} from '../../support/registry.js';

export const AMD64 = { os: 'linux', architecture: 'amd64' };

/** Servers of a test, which are closed after it. */
export interface World {
  readonly registry: (options?: ServerOptions) => Promise<TestRegistry>;
  readonly server: typeof serve;
  readonly keep: (server: { close: () => Promise<void> }) => void;
  readonly close: () => Promise<void>;
}

export function world(): World {
  const open: { close: () => Promise<void> }[] = [];
  const kept = <S extends { close: () => Promise<void> }>(made: S): S => {
    open.push(made);
    return made;
  };
  return {
    registry: async (options) => kept(await serveRegistry(options)),
    server: async (...args) => kept(await serve(...args)),
    keep: (server) => void open.push(server),
    close: async () => {
      await Promise.all(open.splice(0).map((each) => each.close()));
    },
  };
}

/** A client that is quick to try again and to give up, and what it tells. */
export function clientOf(
  server: TestRegistry,
  options: Partial<RegistryOptions> = {},
): Registries & { readonly events: readonly Event[] } {
  const events: Event[] = [];
  const access = registries({
    env: {},
    insecure: [server.host],
    on: (event) => events.push(event),
    ...options,
    tuning: {
      firstPauseMs: 2,
      longestPauseMs: 20,
      longestWaitMs: 1500,
      silenceMs: 1000,
      leastBytes: 100,
      ...options.tuning,
    },
  });
  return { ...access, events };
}

/** An image of two layers, the second one of so many bytes, with a store that has it. */
export async function someImage(
  bytes = 5,
): Promise<{ readonly image: Image; readonly store: ReturnType<typeof memoryStore> }> {
  const store = memoryStore();
  return { image: await storedImage(store, ['one', noise(bytes)]), store };
}

/** Text that no compression makes much smaller. */
function noise(bytes: number): string {
  let state = 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return String.fromCharCode(33 + (state % 90));
  };
  return Array.from({ length: bytes }, next).join('');
}

/** A registry that has the image as `acme/shop:1`. */
export async function pushed(server: TestRegistry, bytes?: number) {
  const made = await someImage(bytes);
  await clientOf(server).target(`${server.host}/acme/shop:1`).put(made.image, made.store);
  server.seen.length = 0;
  return made;
}

/** Finds the image and reads its last layer. */
export async function pull(
  access: Registries,
  server: { readonly host: string },
  reference = 'acme/shop:1',
): Promise<Buffer> {
  const found = await access.source(`${server.host}/${reference}`, memoryStore()).find(AMD64);
  const layer = found.image.manifest.value.layers.at(-1);
  return layer === undefined ? Buffer.alloc(0) : bytesOf(found.blobs.stream(layer));
}

/** The last layer, as it was pushed. */
export async function lastLayer({ image, store }: Awaited<ReturnType<typeof someImage>>): Promise<Buffer> {
  const layer = image.manifest.value.layers.at(-1);
  return layer === undefined ? Buffer.alloc(0) : Buffer.from(await store.read(layer));
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Readable.from(stream).toArray());
}

/** The error that something fails with. */
export async function failureOf(
  work: Promise<unknown>,
): Promise<Error & { code?: string; why?: string; fix?: string }> {
  return work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error,
  );
}

const directories: string[] = [];

/** A file in a directory of its own, until `removeFiles`. */
export async function fileWith(text: string, name = 'file'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pack-build-registry-'));
  directories.push(directory);
  const file = join(directory, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** Options with a file of credentials. */
export async function withAuths(auths: object, more: object = {}): Promise<{ readonly authFile: string }> {
  return { authFile: await fileWith(JSON.stringify({ auths, ...more })) };
}

/** Removes what `fileWith` made. */
export async function removeFiles(): Promise<void> {
  await Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true })));
}

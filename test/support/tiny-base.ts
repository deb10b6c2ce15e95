import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { directoryStore } from '../../src/blobs/directory-store.js';
import type { LayerEntry } from '../../src/layers/entry.js';
import { packLayer } from '../../src/layers/pack.js';
import { readTree } from '../../src/layers/tree.js';
import { treeEntries } from '../../src/layers/tree-entries.js';
import { openTarget } from '../../src/layout/places.js';
import type { Image, Layer } from '../../src/oci/image.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../../src/oci/media-types.js';
import { documentOf } from '../../src/values/document.js';
import { makeTinyRoot } from './tiny-root.js';

/**
 * Bases of a few programs of this machine, in one layout. All have `bash`, the coreutils, sed, grep, find and tar.
 *
 *   run          what apps run on
 *   build        run, and one layer more: a list of packages and the program `only-in-build`
 *   next         a patched run: another layer with a newer package, another PATH, one more variable and label
 *   next-other-arch   next, labelled as another architecture
 *   other-stack, other-distro, other-arch, other-uid    run, labelled as something else
 *   unlabelled   run, of which no label tells anything
 *   without-bash run, where bash is gone
 */
export interface TinyBase {
  readonly layout: string;
  /** Unpacked bases, to be shared by the caches of tests. */
  readonly roots: string;
  /** `oci:LAYOUT:TAG`. */
  readonly place: (tag?: Tag) => string;
}

export type Tag =
  | 'run'
  | 'build'
  | 'next'
  | 'next-other-arch'
  | 'other-stack'
  | 'other-distro'
  | 'other-arch'
  | 'other-uid'
  | 'unlabelled'
  | 'without-bash';

/** Made once and then found again; a change of this file or of the machine's bash makes a new one. */
export async function tinyBase(): Promise<TinyBase> {
  const directory = join(tmpdir(), `pack-build-tiny-base-${await fingerprint()}`);
  if ((await stat(directory).catch(() => undefined)) === undefined) await make(directory);
  const layout = join(directory, 'layout');
  return { layout, roots: join(directory, 'roots'), place: (tag = 'run') => `oci:${layout}:${tag}` };
}

/** The architecture that is not this machine's. */
export const OTHER_ARCHITECTURE = process.arch === 'arm64' ? 'amd64' : 'arm64';
export const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['/bin/bash', 'test/support/tiny-base.ts', 'test/support/tiny-root.ts'])
    hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** Another worker may make it at the same time: the first to finish wins. */
async function make(directory: string): Promise<void> {
  const staged = await mkdtemp(`${directory}.`);
  try {
    await mkdir(join(staged, 'roots'));
    await writeBases(join(staged, 'root'), join(staged, 'layout'));
    await rm(join(staged, 'root'), { recursive: true });
    await rename(staged, directory).catch((error: unknown) => {
      if (!['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    });
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

async function writeBases(root: string, layout: string): Promise<void> {
  await mkdir(root);
  await makeTinyRoot(root);
  // The locale of builds; without it, each bash warns.
  await cp('/usr/lib/locale/C.utf8', join(root, 'usr/lib/locale/C.utf8'), { recursive: true });
  await mkdir(join(root, 'var/lib/dpkg'), { recursive: true });
  await writeFile(join(root, STATUS), statusOf({ tiny: '1-1' }));
  const blobs = join(layout, '..', 'blobs');
  const store = directoryStore(blobs);
  const pack = (entries: readonly LayerEntry[]) => packLayer(entries, { store });
  const bottom = await pack(entriesOf(root));
  const build = await pack(
    files({
      'usr/bin/only-in-build': '#!/bin/sh\necho built\n',
      [STATUS]: statusOf({ tiny: '1-1', 'tiny-dev': '1-1' }),
    }),
  );
  const next = await pack(
    files({
      'etc/patched': 'yes\n',
      'opt/next/bin/patched': '#!/bin/sh\necho patched\n',
      [STATUS]: statusOf({ tiny: '1-2' }),
    }),
  );
  await rm(join(root, 'usr/bin/bash'));
  const withoutBash = await pack(entriesOf(root));
  const patched = {
    env: ['PATH=/opt/next/bin:/usr/local/bin:/usr/bin:/bin', 'FROM_NEXT_BASE=1'],
    labels: { 'example.patch': '2' },
  };
  const images: Readonly<Record<Tag, Image>> = {
    run: imageOf([bottom], {}),
    build: imageOf([bottom, build], {}),
    next: imageOf([bottom, next], patched),
    'next-other-arch': imageOf([bottom, next], { ...patched, architecture: OTHER_ARCHITECTURE }),
    'other-stack': imageOf([bottom], { labels: { 'io.buildpacks.stack.id': 'heroku-22' } }),
    'other-distro': imageOf([bottom], { labels: { 'io.buildpacks.base.distro.version': '13' } }),
    'other-arch': imageOf([bottom], { architecture: OTHER_ARCHITECTURE }),
    'other-uid': imageOf([bottom], { user: '2000:2000' }),
    unlabelled: imageOf([bottom], { unlabelled: true }),
    'without-bash': imageOf([withoutBash], {}),
  };
  for (const [tag, image] of Object.entries(images)) {
    await openTarget({ kind: 'oci', path: layout, tag }).put(image, store);
  }
  await rm(blobs, { recursive: true });
}

const STATUS = 'var/lib/dpkg/status';

/** The list of installed packages, as dpkg writes it. */
export function statusOf(versions: Readonly<Record<string, string>>): string {
  const paragraph = ([name, version]: readonly [string, string]) =>
    `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n`;
  return Object.entries(versions).map(paragraph).join('\n');
}

/** A whole root. Programs such as mount lose their setuid bit. */
function entriesOf(root: string): readonly LayerEntry[] {
  const tree = [...readTree(root)].filter(([path]) => path !== '');
  const plain = tree.map(([path, entry]) => [path, { ...entry, mode: entry.mode & 0o1777 }] as const);
  return treeEntries(plain, { root, at: '', uid: 0, gid: 0 });
}

/** Entries for programs and files owned by root, with the directories above them. */
export function files(contents: Readonly<Record<string, string | Uint8Array>>): readonly LayerEntry[] {
  const directories = new Set(Object.keys(contents).flatMap(ancestors));
  return [
    ...[...directories].map((path): LayerEntry => ({ type: 'directory', path, mode: 0o755, uid: 0, gid: 0 })),
    ...Object.entries(contents).map(
      ([path, bytes]): LayerEntry => ({ type: 'file', path, mode: 0o755, uid: 0, gid: 0, from: Buffer.from(bytes) }),
    ),
  ];
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...ancestors(parent), parent];
}

interface Differences {
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly architecture?: string;
  readonly user?: string;
  readonly unlabelled?: boolean;
}

const LABELS = {
  'io.buildpacks.stack.id': 'debian-12',
  'io.buildpacks.base.distro.name': 'debian',
  'io.buildpacks.base.distro.version': '12',
  'org.opencontainers.image.title': 'tiny base',
};

function imageOf(
  layers: readonly Layer[],
  { env, labels, architecture, user, unlabelled = false }: Differences,
): Image {
  const config = documentOf(
    {
      created: '2026-01-02T03:04:05Z',
      os: 'linux',
      architecture: architecture ?? ARCHITECTURE,
      config: {
        User: user ?? '1000:1000',
        Env: env ?? ['PATH=/usr/local/bin:/usr/bin:/bin'],
        Cmd: ['/bin/bash'],
        Labels: unlabelled ? {} : { ...LABELS, ...labels },
      },
      rootfs: { type: 'layers' as const, diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, at) => ({ created: '2026-01-02T03:04:05Z', created_by: `layer ${at}` })),
    },
    OCI_CONFIG,
  );
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return { config, manifest: documentOf(manifest, OCI_MANIFEST) };
}

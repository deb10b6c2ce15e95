import { chmod, lstat, mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { LAYER } from '../../src/archive/tar-profile.js';
import { readTar } from '../../src/archive/tar-read.js';
import { directoryStore } from '../../src/blobs/directory-store.js';
import { type BuildResult, build } from '../../src/build.js';
import type { BuildRequest } from '../../src/build-request.js';
import { openLayer } from '../../src/layers/open-layer.js';
import { type Image, layersOf } from '../../src/oci/image.js';
import { isImageIndex } from '../../src/oci/image-index.js';
import { type RebaseRequest, type RebaseResult, rebase } from '../../src/rebase.js';
import { run } from '../../src/run.js';
import { bubblewrap } from '../../src/sandbox/bubblewrap.js';
import type { Exit } from '../../src/sandbox/sandbox.js';
import { removeTree } from '../../src/system/remove.js';
import { PackBuildError } from '../../src/values/error.js';
import type { Event } from '../../src/values/events.js';
import { readAll, type WholeEntry } from './tar.js';
import { ARCHITECTURE, type Tag, type TinyBase, tinyBase } from './tiny-base.js';

/** What to put at a path: a text, or something else than a plain file. */
export type FileSpec =
  | string
  | { readonly text: string | Uint8Array; readonly mode?: number }
  | { readonly link: string }
  | { readonly directory: true };

export type Files = Readonly<Record<string, FileSpec>>;

/** A fixture's name, a reference as a user writes it (it has a slash), or files of a buildpack made for one test. */
export type BuildpackSpec = string | Files;

export interface BuildSpec {
  readonly files?: Files;
  /** A source directory that is there already, in place of `files`. */
  readonly source?: string;
  readonly buildpacks?: readonly BuildpackSpec[];
  readonly base?: Tag;
  readonly buildBase?: Tag;
  readonly configVars?: Readonly<Record<string, string>>;
  readonly buildEnv?: Readonly<Record<string, string>>;
  /** The environment of the caller, which must not reach anything. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Hears of each event, after it was kept. */
  readonly on?: (event: Event) => void;
  readonly request?: Partial<BuildRequest>;
}

/** What was heard during a build. */
export interface Heard {
  /** What the scripts printed, in order. */
  readonly output: string;
  /** pack-build's own lines. */
  readonly lines: readonly string[];
  readonly notices: readonly { readonly code: string; readonly message: string }[];
  readonly events: readonly Event[];
  readonly source: string;
}

export interface Built extends Heard {
  readonly result: BuildResult;
  /** `oci:DIR:TAG`. */
  readonly place: string;
  /** The app's own layers with what is in them, lowest first. */
  readonly layers: readonly { readonly name: string; readonly entries: readonly WholeEntry[] }[];
  /** What the image has at a path such as `app/server.js`, from the app's layers. */
  readonly entry: (path: string) => WholeEntry | undefined;
  readonly text: (path: string) => string;
  /** All paths of the app's layers. */
  readonly paths: readonly string[];
}

export interface Failed extends Heard {
  readonly error: PackBuildError;
  /** True when nothing was written. */
  readonly wroteNothing: boolean;
}

export interface Ran extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSpec {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly on?: (event: Event) => void;
}

export interface Product {
  readonly base: () => TinyBase;
  /** A new directory, removed at the end. */
  readonly directory: () => Promise<string>;
  readonly cacheDir: () => string;
  readonly build: (spec: BuildSpec) => Promise<Built>;
  /** Builds what must fail. */
  readonly fail: (spec: BuildSpec) => Promise<Failed>;
  readonly run: (place: string, spec?: RunSpec) => Promise<Ran>;
  readonly rebase: (
    image: string,
    request: Partial<RebaseRequest>,
  ) => Promise<RebaseResult & { readonly image: Image }>;
}

/** The real product over a tiny base, for the tests of one file. Everything that it makes is removed after them. */
export function useProduct(): Product {
  let home = '';
  let base: TinyBase | undefined;
  let count = 0;
  beforeAll(async () => {
    base = await tinyBase();
    home = await mkdtemp(join(tmpdir(), 'pack-build-conformance-'));
    await mkdir(join(home, 'cache/v1'), { recursive: true });
    await symlink(base.roots, join(home, 'cache/v1/roots'));
  });
  afterAll(async () => removeTree(home));

  // One layout for all images of a file, so that their base is written but once.
  const images = () => join(home, 'images');
  const directory = async () => {
    count += 1;
    const made = join(home, `${count}`);
    await mkdir(made);
    return made;
  };
  const tools = (kept: Event[], spec: Pick<BuildSpec, 'env' | 'signal' | 'on'>) => {
    const env = { PATH: process.env['PATH'] ?? '', ...spec.env };
    return {
      sandbox: bubblewrap({ env }),
      env,
      signal: spec.signal,
      on: (event: Event) => {
        kept.push(event);
        spec.on?.(event);
      },
    };
  };
  const start = async (spec: BuildSpec) => {
    const own = await directory();
    const source = spec.source ?? join(own, 'app');
    if (spec.source === undefined) await writeFiles(source, spec.files ?? { 'index.txt': 'hello\n' });
    const tag = `build-${basename(own)}`;
    const request: BuildRequest = {
      source,
      cwd: own,
      base: base?.place(spec.base ?? 'run'),
      buildBase: spec.buildBase === undefined ? undefined : base?.place(spec.buildBase),
      buildpacks: await Promise.all(
        (spec.buildpacks ?? []).map((each, at) => placeBuildpack(each, join(own, `bp${at + 1}`))),
      ),
      to: [`oci:${images()}:${tag}`],
      configVars: spec.configVars,
      buildEnv: spec.buildEnv,
      platform: { os: 'linux', architecture: ARCHITECTURE },
      network: 'none',
      cacheDir: join(home, 'cache'),
      ...spec.request,
    };
    return { request, place: request.to?.[0] ?? '' };
  };
  return {
    base: () => base as TinyBase,
    directory,
    cacheDir: () => join(home, 'cache'),
    build: async (spec) => {
      const events: Event[] = [];
      const { request, place } = await start(spec);
      const result = await build(request, tools(events, spec));
      const blobs = spec.request?.to === undefined ? join(images(), 'blobs') : join(home, 'cache/v1/blobs');
      const layers = await readLayers(result.image, blobs);
      const all = new Map(layers.flatMap(({ entries }) => entries.map((each) => [each.entry.path, each] as const)));
      return {
        ...heard(events, request.source),
        result,
        place,
        layers,
        entry: (path) => all.get(path),
        text: (path) => textAt(all, path),
        paths: [...all.keys()].sort(),
      };
    },
    fail: async (spec) => {
      const events: Event[] = [];
      const { request } = await start(spec);
      const before = await filesBelow(images());
      const error = await build(request, tools(events, spec)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof PackBuildError)) throw error ?? new Error('the build succeeded');
      return { ...heard(events, request.source), error, wroteNothing: (await filesBelow(images())) === before };
    },
    run: async (image, spec = {}) => {
      const events: Event[] = [];
      const exit = await run(
        {
          image,
          args: spec.args,
          env: spec.env,
          platform: { os: 'linux', architecture: ARCHITECTURE },
          network: 'none',
          cacheDir: join(home, 'cache'),
        },
        tools(events, spec),
      );
      return { ...exit, stdout: outputOf(events, 'stdout'), stderr: outputOf(events, 'stderr') };
    },
    rebase: async (image, request) => {
      const result = await rebase({ image, cacheDir: join(home, 'cache'), ...request }, tools([], {}));
      if (isImageIndex(result.image)) throw new Error(`${image} is an index`);
      return { ...result, image: result.image };
    },
  };
}

/** A buildpack for one test: scripts by name, as POSIX sh; detect says yes unless it is given. */
export function buildpack(scripts: Readonly<Record<string, string>>, files: Files = {}): Files {
  const all = { detect: 'echo test', compile: 'true', ...scripts };
  return {
    ...files,
    ...Object.fromEntries(
      Object.entries(all).map(([name, text]) => [`bin/${name}`, { text: `#!/bin/sh\n${text}\n`, mode: 0o755 }]),
    ),
  };
}

/** Writes files below a directory, with the directories that they need. */
export async function writeFiles(root: string, files: Files): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [path, spec] of Object.entries(files)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    if (typeof spec === 'string') await writeFile(file, spec);
    else if ('link' in spec) await symlink(spec.link, file);
    else if ('directory' in spec) await mkdir(file, { recursive: true });
    else {
      await writeFile(file, spec.text);
      if (spec.mode !== undefined) await chmod(file, spec.mode);
    }
  }
}

/** The directory of a buildpack that is made for tests. */
export function fixture(name: string): string {
  return join(process.cwd(), 'fixtures/buildpacks', name);
}

async function placeBuildpack(spec: BuildpackSpec, into: string): Promise<string> {
  if (typeof spec === 'string') return spec.includes('/') ? spec : fixture(spec);
  await writeFiles(into, spec);
  return into;
}

function heard(events: readonly Event[], source: string): Heard {
  return {
    source,
    events,
    output: outputOf(events),
    lines: events.flatMap((event) => (event.type === 'info' ? [event.message] : [])),
    notices: events.flatMap((event) => (event.type === 'notice' ? [event] : [])),
  };
}

function outputOf(events: readonly Event[], stream?: 'stdout' | 'stderr'): string {
  const chunks = events.flatMap((event) =>
    event.type === 'output' && (stream === undefined || event.stream === stream) ? [event.bytes] : [],
  );
  return Buffer.concat(chunks).toString();
}

async function readLayers(image: Image, directory: string) {
  const blobs = directoryStore(directory);
  const names = appLayerNames(image);
  const own = layersOf(image).slice(-names.length);
  return Promise.all(
    own.map(async (layer, at) => ({
      name: names[at] ?? '',
      entries: await readAll(readTar(openLayer(layer, blobs).tar(), LAYER)),
    })),
  );
}

function appLayerNames(image: Image): readonly string[] {
  return (image.config.value.history ?? []).flatMap(({ created_by: by = '' }) =>
    by.startsWith('pack-build: ') ? [by.slice('pack-build: '.length)] : [],
  );
}

function textAt(all: ReadonlyMap<string, WholeEntry>, path: string): string {
  const found = all.get(path);
  if (found === undefined) throw new Error(`there is no ${path} in the app's layers: ${[...all.keys()].join(' ')}`);
  return found.content.toString();
}

/** What a directory holds, and when it was changed. */
async function filesBelow(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const times = await Promise.all(names.map(async (name) => (await lstat(join(directory, name))).mtimeMs));
  return JSON.stringify([names, times]);
}

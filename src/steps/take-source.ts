import { createHash } from 'node:crypto';
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { compareNames } from '../archive/tar-write.js';
import { copySource } from '../buildpack/source.js';
import { type SourceVersion, sourceVersion } from '../buildpack/source-version.js';
import { hostPath, type Workspace } from '../buildpack/workspace.js';
import type { Cache } from '../cache/cache.js';
import { openSourceIndex } from '../cache/source-index.js';
import { hashFile } from '../layers/tree.js';
import { type Writers, writtenBySource } from '../layers/writers.js';
import { stampOf } from '../system/stamp.js';
import { sweepStale } from '../system/tempdir.js';
import { type Digest, fromHex } from '../values/digest.js';
import { fail } from '../values/error.js';
import { step } from '../values/events.js';
import { parsePlace } from '../values/place.js';
import { readBuildDir } from './run-buildpacks.js';
import type { Tools } from './tools.js';

/** The app's source in BUILD_DIR. */
export interface Source {
  /** Of the tree that the buildpacks get to see, times aside. */
  readonly digest: Digest;
  /** The commit, when the directory is the top of a git work tree: a part of one changes with commits that do not touch it. */
  readonly version: SourceVersion | undefined;
  readonly writers: Writers;
  /** Keeps the hashes of its files, so that the next build need not read those that are as they were. */
  keep(): Promise<void>;
}

export interface SourceRequest {
  /** The app's directory, absolute. */
  readonly source: string;
  /** Where the image goes, which may lie in the app's directory. */
  readonly to: readonly string[];
  readonly cacheDir: string;
  readonly limits: { readonly sourceBytes?: number | undefined };
}

/** Copies the source into BUILD_DIR and looks at it. Throws what `copySource` throws. */
export async function takeSource(
  request: SourceRequest,
  cache: Cache,
  workspace: Workspace,
  tools: Tools,
): Promise<Source> {
  return step(tools.on, 'source', undefined, async () => {
    const { source, limits } = request;
    const outputs = outputsOf(request);
    // What a killed build was writing there is no part of the app.
    for (const directory of new Set([source, ...outputs.map(dirname)])) await sweepStale(directory);
    const index = await openSourceIndex(cache, source, workspace.hostDir);
    const files = new Map<string, readonly [stamp: string, hash: string]>();
    const notices = await copySource(source, workspace, {
      // What pack-build itself keeps there is none either.
      exclude: [resolve(request.cacheDir), join(source, '.pack-build'), ...outputs],
      maxBytes: limits.sourceBytes,
      onFile: (path, copy, stat) => files.set(path, [stampOf(stat), index.hashOf(path, stat) ?? hashFile(copy)]),
      signal: tools.signal,
    });
    for (const notice of notices) tools.on({ type: 'notice', ...notice });
    const hashes = new Map([...files].map(([path, [, hash]]) => [path, hash]));
    const writers = writtenBySource(hostPath(workspace, workspace.buildDir), readBuildDir(workspace), hashes);
    const version = await versionOf(source, tools);
    // A cache that cannot be written to makes the next build slower, and that is all.
    const keep = () => index.keep(files).catch(() => undefined);
    return { writers, digest: digestOfTree(writers), version, keep };
  });
}

function outputsOf({ to }: SourceRequest): readonly string[] {
  return to.map(parsePlace).flatMap((place) => ('path' in place ? [resolve(place.path)] : []));
}

/** Where an app is, and what the references of its caller are relative to. */
export interface FoundSource {
  readonly source: string;
  readonly cwd: string;
}

/**
 * The app's directory by its real name, however it was reached: the same app has the same cache. Throws `SOURCE_NOT_FOUND`
 * before any other work is done.
 */
export async function findSource({
  source,
  cwd,
}: {
  readonly source: string;
  readonly cwd?: string | undefined;
}): Promise<FoundSource> {
  const path = resolve(cwd ?? source, source);
  if (!isAbsolute(cwd ?? source) && !isAbsolute(source)) throw nowhere(source, cwd);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw fail('SOURCE_NOT_FOUND', {
      what: `there is no app in ${path}`,
      why: found === undefined ? 'it does not exist' : 'it is not a directory',
      fix: "name the app's directory: pack-build build DIR",
    });
  }
  const real = await realpath(path);
  return { source: real, cwd: cwd ?? real };
}

/** A library does not ask in which directory its process happens to be. */
function nowhere(source: string, cwd: string | undefined) {
  return fail('SOURCE_NOT_FOUND', {
    what: `${source} does not say where the app is`,
    why: cwd === undefined ? 'it is relative, and there is no cwd' : `it is relative, and so is cwd, ${cwd}`,
    fix: 'make `source` absolute, or give the request an absolute `cwd`',
  });
}

async function versionOf(directory: string, tools: Tools): Promise<SourceVersion | undefined> {
  const top = await lstat(join(directory, '.git')).catch(() => undefined);
  return top === undefined ? undefined : sourceVersion(directory, { env: tools.env, signal: tools.signal });
}

function digestOfTree(writers: Writers): Digest {
  const hash = createHash('sha256');
  for (const path of [...writers.keys()].sort(compareNames)) {
    const { entry, hash: content } = writers.get(path) as NonNullable<ReturnType<Writers['get']>>;
    hash.update(JSON.stringify([path, entry.type, entry.mode, entry.target ?? content ?? null]));
  }
  return fromHex(hash.digest('hex'));
}

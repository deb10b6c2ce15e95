import { basename } from 'node:path';
import { blobsIn, type Cache } from '../cache/cache.js';
import { unpackedRoot } from '../layers/roots.js';
import { labelsOf, layersOf } from '../oci/image.js';
import type { Lock } from '../settings/lock-file.js';
import type { Digest } from '../values/digest.js';
import { fail } from '../values/error.js';
import { step } from '../values/events.js';
import type { Platform } from '../values/platform.js';
import { type DefaultBase, defaultBase, type NamedBase, type NamedBases } from './default-base.js';
import { lockNameOf } from './lock-name.js';
import { type ResolvedBase, resolveBase } from './resolve-base.js';
import { tellDamaged } from './tell-damaged.js';
import type { Tools } from './tools.js';

export interface BasesRequest {
  /** The app's directory, absolute. */
  readonly source: string;
  /** What the app runs on. Without it and a build base, `defaultBase` finds both. */
  readonly base?: string | undefined;
  /** What the app is built on; the run base if absent. */
  readonly buildBase?: string | undefined;
  readonly platform: Platform;
  readonly lock: Lock;
  readonly frozen?: boolean | undefined;
  /** Which bases to use when none is named and the lock has none; if absent, Heroku's, if they can be had, else a Debian. */
  readonly defaultBase?: DefaultBase | undefined;
  /** Called before a base is made or fetched for this build, which takes minutes: what it throws ends the build. */
  readonly beforeMaking?: (() => Promise<void>) | undefined;
}

export interface Bases {
  readonly run: ResolvedBase;
  readonly build: ResolvedBase;
  /** What the lock should say of them. */
  readonly pins: Lock['bases'];
}

const STACK_LABEL = 'io.buildpacks.stack.id';

/** Resolves both bases, each once. Throws what `resolveBase` throws, and `BASE_STACK_MISMATCH` (R118). */
export async function prepareBases(request: BasesRequest, cache: Cache, tools: Tools): Promise<Bases> {
  const named = namesOf(request) ?? (await defaultBase(request, cache, tools));
  const store = blobsIn(cache);
  const resolve = ({ reference, lockName }: NamedBase) =>
    resolveBase(reference, {
      platform: request.platform,
      store,
      on: tools.on,
      registries: tools.registries,
      locked: request.lock.bases[lockName],
      frozen: request.frozen,
    });
  return step(tools.on, 'base', undefined, async () => {
    const run = await resolve(named.run);
    const build = named.build.reference === named.run.reference ? run : await resolve(named.build);
    requireSameStack(run, build);
    const pins = [pinOf(named.run, run), pinOf(named.build, build)].flat();
    return { run, build, pins: Object.fromEntries(pins) };
  });
}

/** The build base as a directory, unpacked once per digest. */
export async function unpackBase({ base, blobs }: ResolvedBase, cache: Cache, tools: Tools): Promise<string> {
  const request = {
    directory: cache.roots,
    inventories: cache.inventories,
    use: (name: string) => cache.use('roots', name),
    onDamaged: (path: string) => tellDamaged(`the unpacked base ${basename(path)}`, tools.on),
    layers: layersOf(base.image),
    blobs,
    signal: tools.signal,
  };
  return (await step(tools.on, 'unpack', base.name, () => unpackedRoot(request))).path;
}

function namesOf({ base, buildBase, source, lock }: BasesRequest): NamedBases | undefined {
  const run = base ?? buildBase;
  if (run === undefined) return undefined;
  const named = (reference: string): NamedBase => ({
    reference,
    lockName: lockNameOf(reference, source, lock.bases),
  });
  return { run: named(run), build: named(buildBase ?? run) };
}

/** A base that is named by its digest needs no lock. */
function pinOf({ lockName }: NamedBase, { pinned }: ResolvedBase): readonly (readonly [string, Digest])[] {
  return lockName.includes('@sha256:') ? [] : [[lockName, pinned]];
}

function requireSameStack(run: ResolvedBase, build: ResolvedBase): void {
  const [mine, its] = [labelsOf(run.base.image)[STACK_LABEL], labelsOf(build.base.image)[STACK_LABEL]];
  if (mine === its || mine === undefined || its === undefined) return;
  throw fail('BASE_STACK_MISMATCH', {
    what: 'the build base and the run base belong to different stacks',
    why: `${build.reference} is ${its}, ${run.reference} is ${mine}; what is built on one may not run on the other`,
    fix: 'name two bases of one stack with --base and --build-base',
  });
}

import { basename } from 'node:path';
import { fetchBuildpack } from '../buildpack/fetch.js';
import { chooseList } from '../buildpack/list.js';
import { readSourceFile } from '../buildpack/read-file.js';
import { BUNDLED, parseReference } from '../buildpack/reference.js';
import { type SettledReference, settleReference } from '../buildpack/registry-name.js';
import { buildpackDir, hostPath, type Workspace } from '../buildpack/workspace.js';
import type { Cache } from '../cache/cache.js';
import type { Lock } from '../settings/lock-file.js';
import { fail } from '../values/error.js';
import { step } from '../values/events.js';
import type { ReadyBuildpack } from './run-buildpacks.js';
import type { Tools } from './tools.js';

export interface GatherRequest {
  /** The app's directory. */
  readonly source: string;
  /** Where references of the caller are taken from when they are relative. */
  readonly cwd: string;
  /** Named by the caller, in order. */
  readonly buildpacks: readonly string[];
  /** `BUILDPACK_URL` among them names one too (R11). */
  readonly configVars: Readonly<Record<string, string>>;
  /** The host directory of the buildpacks that come with pack-build. */
  readonly bundledBuildpacks: string;
  /** The address below which there are the tarballs of names such as `heroku/nodejs`. */
  readonly buildpackRegistry: string;
  readonly lock: Lock;
  readonly frozen?: boolean | undefined;
  readonly fetchTimeoutMs?: number | undefined;
}

export interface Gathered {
  readonly buildpacks: readonly ReadyBuildpack[];
  /** True when nobody named any: then the bundled ones are candidates. */
  readonly auto: boolean;
  /** What the lock should say of them. */
  readonly pins: Lock['buildpacks'];
}

/** Finds out which buildpacks to use and puts a copy of each into the workspace. Throws what
 * `settleReference` and `fetchBuildpack` throw, and `LOCK_FROZEN`. */
export async function gatherBuildpacks(
  request: GatherRequest,
  cache: Cache,
  workspace: Workspace,
  tools: Tools,
): Promise<Gathered> {
  return step(tools.on, 'buildpacks', undefined, () => gather(request, cache, workspace, tools));
}

async function gather(request: GatherRequest, cache: Cache, workspace: Workspace, tools: Tools): Promise<Gathered> {
  const list = chooseList({
    explicit: request.buildpacks,
    buildpackUrl: request.configVars['BUILDPACK_URL'],
    dotBuildpacks: await readSourceFile(request.source, '.buildpacks'),
    appJson: await readSourceFile(request.source, 'app.json'),
  });
  const from = list?.from === 'the command line' ? request.cwd : request.source;
  const buildpacks: ReadyBuildpack[] = [];
  const pins: Record<string, string> = {};
  for (const [index, text] of (list?.references ?? BUNDLED).entries()) {
    const reference = await settleReference(parseReference(text, from), request.buildpackRegistry);
    const locked = request.lock.buildpacks[reference.id];
    const pinnable = ['git', 'tarball', 'http'].includes(reference.kind);
    if (pinnable && request.frozen && locked === undefined) throw notLocked(reference.id);
    const dir = buildpackDir(index + 1);
    const fetched = await fetchBuildpack(reference, {
      into: hostPath(workspace, dir),
      bundled: request.bundledBuildpacks,
      tarballs: cache.tarballs,
      useTarball: (name) => cache.use('tarballs', name),
      download: tools.downloads,
      env: tools.env,
      expected: pinnable ? locked : undefined,
      timeoutMs: request.fetchTimeoutMs,
      signal: tools.signal,
    });
    for (const notice of fetched.notices) tools.on({ type: 'notice', ...notice });
    if (pinnable) pins[fetched.id] = fetched.version;
    buildpacks.push({ id: fetched.id, title: titleOf(reference), dir, version: fetched.version });
  }
  return { buildpacks, auto: list === undefined, pins };
}

function titleOf(reference: SettledReference): string {
  if ('path' in reference) return basename(reference.path);
  if (reference.kind !== 'git' || !/^(\/|file:)/.test(reference.url)) return reference.id;
  return `${basename(reference.url)}${reference.ref === undefined ? '' : `#${reference.ref}`}`;
}

function notLocked(id: string) {
  return fail('LOCK_FROZEN', {
    what: `the lock would change: buildpack ${id} is not in pack-build.lock`,
    why: '--frozen builds only from what the lock names',
    fix: 'build once without --frozen and keep pack-build.lock',
  });
}

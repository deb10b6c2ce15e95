import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeBuildEnv } from '../../../src/buildpack/build-env.js';
import { type FetchOptions, fetchBuildpack } from '../../../src/buildpack/fetch.js';
import { parseReference } from '../../../src/buildpack/reference.js';
import { type SettledReference, settleReference } from '../../../src/buildpack/registry-name.js';
import type { PlacedBuildpack, ScriptTools } from '../../../src/buildpack/script.js';
import {
  buildpackDir,
  homeOf,
  hostPath,
  makeWorkspace,
  type RootedWorkspace,
} from '../../../src/buildpack/workspace.js';
import { downloads } from '../../../src/http/download.js';
import { bubblewrap } from '../../../src/sandbox/bubblewrap.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { removeTree } from '../../../src/system/remove.js';
import { PackBuildError } from '../../../src/values/error.js';
import type { Event } from '../../../src/values/events.js';
import { makeTinyRoot } from '../../support/tiny-root.js';

export const FIXTURES = resolve('fixtures/buildpacks');
export const HOST_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin' };

/** One build's workspace over a tiny root, with the real sandbox. */
export interface Bench {
  readonly workspace: RootedWorkspace;
  readonly tools: ScriptTools;
  readonly events: readonly Event[];
  /** Puts a fixture into the workspace as the next buildpack. */
  readonly place: (fixture: string) => Promise<PlacedBuildpack>;
  /** The text of a file by its name inside. */
  readonly read: (inside: string) => Promise<string>;
  readonly write: (inside: string, text: string) => Promise<void>;
  /** What the scripts printed. */
  readonly output: () => string;
}

export interface BenchHall {
  readonly bench: (options?: { sandbox?: Sandbox; buildEnv?: Record<string, string> }) => Promise<Bench>;
  readonly temp: (name: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Makes the root once; each test makes its own bench. */
export async function openHall(): Promise<BenchHall> {
  const hall = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  const root = await makeTinyRoot(join(hall, 'root'));
  // Real bases have this locale; without it every bash prints a warning.
  await cp('/usr/lib/locale/C.utf8', join(root, 'usr/lib/locale/C.utf8'), { recursive: true });
  let count = 0;
  const temp = async (name: string) => {
    count += 1;
    const dir = join(hall, `${name}-${count}`);
    await mkdir(dir);
    return dir;
  };
  return {
    temp,
    close: () => removeTree(hall),
    bench: async ({ sandbox = bubblewrap({ env: HOST_ENV }), buildEnv } = {}) => {
      const workspace = { ...(await makeWorkspace(await temp('build'))), root };
      return benchOf(workspace, sandbox, buildEnv);
    },
  };
}

function benchOf(workspace: RootedWorkspace, sandbox: Sandbox, buildEnv: Record<string, string> | undefined): Bench {
  const events: Event[] = [];
  const env = makeBuildEnv({
    stack: 'heroku-24',
    sourceVersion: '',
    requestId: 'request',
    ...homeOf(workspace, sandbox),
    buildEnv,
  });
  let count = 0;
  return {
    workspace,
    tools: { workspace, sandbox, env, network: 'none', on: (event) => events.push(event) },
    events,
    place: async (fixture) => {
      count += 1;
      const dir = buildpackDir(count);
      const { id } = await fetchBuildpack(await reference(`./${fixture}`), fetchOptions(hostPath(workspace, dir)));
      return { id, dir };
    },
    read: (inside) => readFile(hostPath(workspace, inside), 'utf8'),
    write: (inside, text) => writeFile(hostPath(workspace, inside), text),
    output: () => events.map((event) => (event.type === 'output' ? Buffer.from(event.bytes).toString() : '')).join(''),
  };
}

export function fetchOptions(into: string, more: Partial<FetchOptions> = {}): FetchOptions {
  const download = downloads({ env: {}, tuning: { firstPauseMs: 2, longestPauseMs: 20, silenceMs: 2000 } });
  return { into, bundled: resolve('buildpacks'), tarballs: `${into}.tarballs`, download, env: HOST_ENV, ...more };
}

/** What a text means as a buildpack; names are taken from a registry that is not there. */
export async function reference(
  text: string,
  from = FIXTURES,
  registry = 'http://127.0.0.1:1',
): Promise<SettledReference> {
  return settleReference(parseReference(text, from), registry);
}

/** The error that a promise is rejected with, as a user would read it. */
export async function failureOf(
  work: Promise<unknown>,
): Promise<{ code: string; what: string; why: string | undefined; fix: string | undefined }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PackBuildError)) throw error ?? new Error('it did not fail');
  return { code: error.code, what: error.message, why: error.why, fix: error.fix };
}

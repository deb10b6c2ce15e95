import { unionOf } from './blobs/union.js';
import { type BuildRequest, settle } from './build-request.js';
import type { Report } from './buildpack/report-document.js';
import { blobsIn, type Cache } from './cache/cache.js';
import type { NetworkMode } from './network/mode.js';
import type { Reached } from './network/reached.js';
import type { App } from './oci/app.js';
import { assemble } from './oci/assemble.js';
import { digestOfImage, type Image } from './oci/image.js';
import { requireLabels } from './oci/own-labels.js';
import { readLock } from './settings/lock-file.js';
import { appNeeds } from './steps/app-needs.js';
import { withNetwork } from './steps/build-network.js';
import { checkPolicy, requirePolicy, settlePolicy } from './steps/check-policy.js';
import { checkBases } from './steps/check-run-base.js';
import { gatherBuildpacks } from './steps/gather-buildpacks.js';
import { inCache } from './steps/in-cache.js';
import { keepLock } from './steps/keep-lock.js';
import { keepOutOfSource } from './steps/keep-out-of-source.js';
import { proved } from './steps/known-base.js';
import { makeApp } from './steps/make-app.js';
import { prepareBases, unpackBase } from './steps/prepare-bases.js';
import { probeBundled } from './steps/probe-bundled.js';
import { parseTargets, putImage } from './steps/put-image.js';
import { readProcesses } from './steps/read-processes.js';
import { requireAppSize } from './steps/require-app-size.js';
import { restoreCache } from './steps/restore-cache.js';
import { runBuildpacks } from './steps/run-buildpacks.js';
import { setUpScripts } from './steps/set-up-scripts.js';
import { findSource, takeSource } from './steps/take-source.js';
import { type GivenTools, settleTools, type Tools } from './steps/tools.js';
import { withWorkspace } from './steps/with-workspace.js';
import { writeEnv } from './steps/write-env.js';
import type { Digest } from './values/digest.js';

/** What a build made. */
export interface BuildResult {
  /** Of the image's manifest. */
  readonly digest: Digest;
  /** The places that were written, each with its digest. */
  readonly references: readonly string[];
  readonly image: Image;
  readonly app: App;
  /** The process that starts when none is named. */
  readonly defaultProcess: string | undefined;
  /** What the buildpacks' bin/report said. */
  readonly reports: Readonly<Record<string, Report>>;
  readonly bases: { readonly run: Digest; readonly build: Digest };
  /** Which network the buildpacks had, and what they asked for there, as far as we see it: with `host`, nothing of it. */
  readonly network: { readonly mode: NetworkMode; readonly reached: readonly Reached[] };
}

/**
 * Builds an app with classic buildpacks and writes its image.
 *
 * The same source, buildpacks, bases and settings give the same digest. A build that fails or is aborted leaves nothing: no
 * image, the cache as it was, no process, no temporary file. Throws `PackBuildError`.
 */
export async function build(request: BuildRequest, givenTools: GivenTools): Promise<BuildResult> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, (cache) => buildImage(request, cache, tools));
}

async function buildImage(given: BuildRequest, cache: Cache, tools: Tools): Promise<BuildResult> {
  const request = settle(given);
  requireLabels(request.labels);
  const policy = request.policy && settlePolicy(request.policy);
  const found = await findSource(request);
  const places = await parseTargets(request.to, tools);
  await keepOutOfSource(places, found.source);
  const inputs = { ...request, ...found, lock: await readLock(found.source) };

  return withWorkspace(request.buildDir, cache, async (directories) => {
    await writeEnv(inputs, directories, tools);
    const taken = await takeSource(inputs, cache, directories, tools);
    const gathered = await gatherBuildpacks(inputs, cache, directories, tools);

    await tools.sandbox.check?.();
    const beforeMaking = () => probeBundled(gathered, found.source, directories, tools);
    const bases = await prepareBases({ ...inputs, beforeMaking }, cache, tools);
    const root = await unpackBase(bases.build, cache, tools);
    const contents = await checkBases(bases, cache, tools);

    const workspace = { ...directories, root };
    const restored = await restoreCache(inputs, cache, workspace, tools);
    const { run, stack, network } = await withNetwork(inputs, cache, tools, async (network) => {
      const setting = { ...inputs, ...gathered, network, taken, buildBase: bases.build };
      const scripts = await setUpScripts(setting, workspace, tools);
      const run = await runBuildpacks({ ...inputs, ...gathered }, taken.writers, scripts.tools);
      return { run, stack: scripts.stack, network: { mode: network.mode, reached: network.reached() } };
    });
    const processes = await readProcesses(run, request.strictProcfile, workspace, tools.on);
    const needs = appNeeds(run.writers, contents, request.platform, workspace, tools);

    const made = { ...inputs, taken, run, processes, needs, stack, buildBase: bases.build, root };
    const app = await makeApp(made, cache, workspace, tools);
    requireAppSize(app, request.limits.appBytes);
    const { image } = assemble(bases.run.base, app);
    const blobs = unionOf(bases.run.blobs, blobsIn(cache));
    if (policy !== undefined) {
      const base = proved(image, bases.run);
      requirePolicy([await checkPolicy({ image, blobs, base }, policy, cache, tools)]);
    }
    const references = await putImage(image, blobs, places, tools);

    await taken.keep();
    await restored.keep();
    await keepLock(inputs, { bases: bases.pins, buildpacks: gathered.pins }, tools.on);
    return {
      digest: digestOfImage(image),
      references,
      image,
      app,
      defaultProcess: processes.defaultType,
      reports: run.reports,
      bases: { run: bases.run.pinned, build: bases.build.pinned },
      network,
    };
  });
}

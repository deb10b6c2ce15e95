import { type DetectRequest, settle } from './build-request.js';
import { autoDetect } from './buildpack/auto-detect.js';
import { detectListed } from './buildpack/detect.js';
import type { ScriptTools } from './buildpack/script.js';
import { readLock } from './settings/lock-file.js';
import { withNetwork } from './steps/build-network.js';
import { type Gathered, gatherBuildpacks } from './steps/gather-buildpacks.js';
import { inCache } from './steps/in-cache.js';
import { prepareBases, unpackBase } from './steps/prepare-bases.js';
import { probeBundled } from './steps/probe-bundled.js';
import { setUpScripts } from './steps/set-up-scripts.js';
import { findSource, takeSource } from './steps/take-source.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import { withWorkspace } from './steps/with-workspace.js';
import { writeEnv } from './steps/write-env.js';

/** A buildpack that applies. */
export interface Detected {
  /** The reference as it was written. */
  readonly id: string;
  /** What its bin/detect called itself or the app. */
  readonly name: string;
}

/**
 * Tells which buildpacks a build would begin with: those of the list, each of which must apply to the source as it is, or
 * the first bundled one that does. (In a build, a later buildpack sees what the earlier ones have made.) Writes nothing,
 * not even the lock. Throws as `build` does until its first compile.
 */
export async function detect(given: DetectRequest, givenTools: GivenTools): Promise<readonly Detected[]> {
  const tools = settleTools(givenTools);
  return inCache(given.cacheDir, tools.signal, async (cache) => {
    const request = settle(given);
    const found = await findSource(request);
    const inputs = { ...request, ...found, lock: await readLock(found.source) };
    return withWorkspace(request.buildDir, cache, async (directories) => {
      await writeEnv(inputs, directories, tools);
      const taken = await takeSource(inputs, cache, directories, tools);
      const gathered = await gatherBuildpacks(inputs, cache, directories, tools);
      await tools.sandbox.check?.();
      const beforeMaking = () => probeBundled(gathered, found.source, directories, tools);
      const bases = await prepareBases({ ...inputs, beforeMaking }, cache, tools);
      const workspace = { ...directories, root: await unpackBase(bases.build, cache, tools) };
      return withNetwork(inputs, cache, tools, async (network) => {
        const setting = { ...inputs, ...gathered, network, taken, buildBase: bases.build };
        const scripts = await setUpScripts(setting, workspace, tools);
        return ask(gathered, found.source, scripts.tools);
      });
    });
  });
}

async function ask({ buildpacks, auto }: Gathered, source: string, tools: ScriptTools): Promise<readonly Detected[]> {
  if (auto) {
    const { buildpack, detection } = await autoDetect(buildpacks, tools, { source });
    return [{ id: buildpack.id, name: detection.name }];
  }
  const found: Detected[] = [];
  for (const buildpack of buildpacks)
    found.push({ id: buildpack.id, name: (await detectListed(buildpack, tools)).name });
  return found;
}

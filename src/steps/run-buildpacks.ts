import { autoDetect } from '../buildpack/auto-detect.js';
import { compile } from '../buildpack/compile.js';
import { type Detection, detectListed } from '../buildpack/detect.js';
import { environmentWithExports } from '../buildpack/exports.js';
import type { FetchedBuildpack } from '../buildpack/fetch.js';
import { release } from '../buildpack/release.js';
import type { Release } from '../buildpack/release-document.js';
import { report } from '../buildpack/report.js';
import type { Report } from '../buildpack/report-document.js';
import type { PlacedBuildpack, ScriptTools } from '../buildpack/script.js';
import { hostPath, type Workspace } from '../buildpack/workspace.js';
import { readTree, type Tree } from '../layers/tree.js';
import { attribute, type Writers } from '../layers/writers.js';
import { fileClock } from '../system/stamp.js';
import { step } from '../values/events.js';

/** A buildpack that lies in the workspace, with what pins it. */
export type ReadyBuildpack = PlacedBuildpack &
  Pick<FetchedBuildpack, 'version'> & {
    /** For the record: the reference, of a local path only its last part, since an image does not depend on places. */
    readonly title: string;
  };

export interface BuildpackPlan {
  readonly buildpacks: readonly ReadyBuildpack[];
  /** True to take the first that applies; otherwise each of them must. */
  readonly auto: boolean;
  /** For messages. */
  readonly source: string;
  readonly compileTimeoutMs?: number | undefined;
}

export interface BuildpackRun {
  readonly used: readonly (ReadyBuildpack & { readonly name: string })[];
  /** The tree that the last one left, with who wrote what. */
  readonly writers: Writers;
  /** Of the last buildpack that has a bin/release (R80), with its name. */
  readonly release: (Release & { readonly buildpack: string }) | undefined;
  readonly reports: Readonly<Record<string, Report>>;
}

/**
 * Runs the buildpacks over BUILD_DIR: detect and compile of one after the other (R52), then all releases (R76), then, after
 * success and failure alike, the reports (R90).
 */
export async function runBuildpacks(plan: BuildpackPlan, source: Writers, tools: ScriptTools): Promise<BuildpackRun> {
  const started: ReadyBuildpack[] = [];
  try {
    const chosen = await choose(plan, tools);
    const { used, writers } = await compileAll(chosen, source, plan, started, tools);
    return { used, writers, release: await releaseAll(used, tools), reports: await reportAll(started, tools) };
  } catch (error) {
    if (tools.signal?.aborted !== true) await reportAll(started, tools);
    throw error;
  }
}

interface Candidate {
  readonly buildpack: ReadyBuildpack;
  /** Present when auto-detection has asked it already. */
  readonly detection?: Detection;
}

async function choose(plan: BuildpackPlan, tools: ScriptTools): Promise<readonly Candidate[]> {
  if (!plan.auto) return plan.buildpacks.map((buildpack) => ({ buildpack }));
  return [await step(tools.on, 'detect', undefined, () => autoDetect(plan.buildpacks, tools, { source: plan.source }))];
}

async function compileAll(
  candidates: readonly Candidate[],
  source: Writers,
  plan: BuildpackPlan,
  started: ReadyBuildpack[],
  tools: ScriptTools,
) {
  const used: (ReadyBuildpack & { readonly name: string })[] = [];
  let writers = source;
  for (const [index, { buildpack, detection }] of candidates.entries()) {
    const env = await environmentWithExports(used, buildpack, tools);
    const own = { ...tools, env };
    started.push(buildpack);
    const { name } = detection ?? (await step(tools.on, 'detect', buildpack.id, () => detectListed(buildpack, own)));
    tools.on({ type: 'info', message: `-----> ${name} app detected` });
    await step(tools.on, 'compile', buildpack.id, () => compile(buildpack, own, { timeoutMs: plan.compileTimeoutMs }));
    const last = index === candidates.length - 1;
    writers = await step(tools.on, 'snapshot', buildpack.id, async () =>
      lookAt(tools.workspace, writers, index + 1, last),
    );
    used.push({ ...buildpack, name: name === buildpack.id ? buildpack.title : name });
  }
  if (writers.size <= 1)
    tools.on({
      type: 'notice',
      code: 'BUILD_EMPTY',
      message: 'the buildpacks succeeded and left an empty directory: the image will have no app',
    });
  return { used, writers };
}

/** What is in BUILD_DIR. */
export function readBuildDir(workspace: Workspace): Tree {
  return readTree(hostPath(workspace, workspace.buildDir), () => fileClock(workspace.hostDir));
}

/** The tree as it is now, with what step `number` wrote. Every process of the step is dead. */
function lookAt(workspace: Workspace, before: Writers, number: number, last: boolean): Writers {
  return attribute(before, hostPath(workspace, workspace.buildDir), readBuildDir(workspace), number, last);
}

/** Each is run, so that each can fail the build; the last that exists speaks for all. */
async function releaseAll(used: BuildpackRun['used'], tools: ScriptTools): Promise<BuildpackRun['release']> {
  let last: BuildpackRun['release'];
  for (const buildpack of used) {
    const said = await step(tools.on, 'release', buildpack.id, () => release(buildpack, tools));
    if (said !== undefined) last = { ...said, buildpack: buildpack.name };
  }
  return last;
}

async function reportAll(started: readonly ReadyBuildpack[], tools: ScriptTools): Promise<BuildpackRun['reports']> {
  const reports: Record<string, Report> = {};
  for (const buildpack of started) {
    const said = await report(buildpack, tools);
    if (said === undefined) continue;
    reports[buildpack.id] = said;
    tools.on({ type: 'report', subject: buildpack.id, values: said });
  }
  return reports;
}

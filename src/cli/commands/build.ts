import { basename, resolve } from 'node:path';
import type { BuildResult } from '../../build.js';
import { build } from '../../build.js';
import { appRequest, compileTimeoutMs } from '../app-request.js';
import { defaultPlace } from '../default-place.js';
import { sourceDateEpoch } from '../environment.js';
import type { BuildFlags } from '../flags/build.js';
import { policyRequest } from '../policy-request.js';
import type { Outcome, Session } from '../session.js';

export async function runBuild([dir = '.']: readonly string[], flags: BuildFlags, session: Session): Promise<Outcome> {
  const { request, app } = await appRequest(dir, flags, session);
  const policy = flags.policy === undefined ? undefined : await policyRequest(flags.policy, request.source);
  const result = await build(
    {
      ...request,
      to: flags.to ?? app.to ?? [defaultPlace(request.source)],
      compression: flags.compression ?? app.compression,
      created: sourceDateEpoch(),
      labels: { ...app.labels, ...flags.label },
      policy,
      clearCache: flags.clearCache,
      strictProcfile: flags.strict ?? app.strict,
      trace: flags.trace,
      compileTimeoutMs: compileTimeoutMs(flags, app),
    },
    session.tools,
  );
  tellResult(result, dir, flags, session);
  return { data: buildJson(result), text: result.references.join('\n') };
}

function tellResult(result: BuildResult, dir: string, flags: BuildFlags, { tools }: Session): void {
  const size = result.app.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  tools.on({
    type: 'info',
    message: `-----> Built ${basename(resolve(dir))}: ${result.app.layers.length} layers of the app, ${(size / 1e6).toFixed(1)} MB`,
  });
  if (flags.to === undefined) tools.on({ type: 'info', message: `       Start it with: pack-build run ${dir}` });
}

/** The result as a program reads it. */
export function buildJson({ digest, references, app, defaultProcess, reports, bases, network }: BuildResult): object {
  return {
    digest,
    references,
    bases,
    stack: app.stack,
    created: app.created,
    processes: app.processes,
    defaultProcess: defaultProcess ?? null,
    buildpacks: app.buildpacks,
    layers: app.layers.map(({ name, diffId, descriptor }) => ({
      name,
      diffId,
      digest: descriptor.digest,
      size: descriptor.size,
    })),
    reports,
    network,
  };
}

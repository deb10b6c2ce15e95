import { makeBuildEnv } from '../buildpack/build-env.js';
import { secretsOf } from '../buildpack/redactor.js';
import type { ScriptTools } from '../buildpack/script.js';
import { homeOf, type RootedWorkspace } from '../buildpack/workspace.js';
import { envRecord } from '../oci/env.js';
import { digestOfImage, labelsOf } from '../oci/image.js';
import type { SandboxLimits } from '../sandbox/cgroup.js';
import { caVariables } from '../sandbox/host-files.js';
import { digestOf, hexOf } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import type { BuildNetwork } from './build-network.js';
import type { ResolvedBase } from './resolve-base.js';
import type { ReadyBuildpack } from './run-buildpacks.js';
import type { Source } from './take-source.js';
import type { Tools } from './tools.js';

export interface ScriptsRequest {
  readonly configVars: Readonly<Record<string, string>>;
  readonly buildEnv: Readonly<Record<string, string>>;
  readonly stack?: string | undefined;
  readonly network: BuildNetwork;
  readonly buildUser: 'app' | 'root';
  readonly trace?: boolean | undefined;
  /** Take the values of config vars out of what scripts print. */
  readonly redact: boolean;
  readonly limits: { readonly logBytes?: number | undefined } & SandboxLimits;
  readonly taken: Source;
  readonly buildBase: ResolvedBase;
  readonly buildpacks: readonly ReadyBuildpack[];
}

const DEFAULT_STACK = 'heroku-24';

/** Makes the environment in which scripts run: constant for constant inputs. Throws `ENV_INVALID`. */
export async function setUpScripts(
  request: ScriptsRequest,
  workspace: RootedWorkspace,
  tools: Tools,
): Promise<{ readonly tools: ScriptTools; readonly stack: string }> {
  const { image } = request.buildBase.base;
  const stack = request.stack ?? labelsOf(image)['io.buildpacks.stack.id'] ?? DEFAULT_STACK;
  const env = makeBuildEnv({
    stack,
    sourceVersion: request.taken.version?.commit ?? '',
    requestId: requestId(request, stack),
    path: envRecord(image.config.value.config?.Env ?? [])['PATH'],
    ...homeOf(workspace, tools.sandbox),
    user: request.buildUser,
    certificates: { ...caVariables(tools.env), ...request.network.env },
    buildEnv: { ...(request.trace ? { BUILDPACK_XTRACE: '1' } : {}), ...request.buildEnv },
  });
  return {
    stack,
    tools: {
      workspace,
      sandbox: tools.sandbox,
      env,
      network: request.network.of,
      user: request.buildUser,
      limits: sandboxLimits(request.limits),
      logBytes: request.limits.logBytes,
      secrets: request.redact ? secretsOf(request.configVars) : [],
      on: tools.on,
      signal: tools.signal,
    },
  };
}

function sandboxLimits({ memoryBytes, processes }: SandboxLimits): SandboxLimits | undefined {
  return memoryBytes === undefined && processes === undefined ? undefined : { memoryBytes, processes };
}

/** In the form of a UUID, as on Heroku; derived from what is built, so that a repeated build sees the same one. */
function requestId({ taken, buildBase, buildpacks }: ScriptsRequest, stack: string): string {
  const inputs = {
    source: taken.digest,
    base: digestOfImage(buildBase.base.image),
    buildpacks: buildpacks.map(({ version }) => version),
    stack,
  };
  const hex = hexOf(digestOf(new TextEncoder().encode(canonicalJson(inputs))));
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

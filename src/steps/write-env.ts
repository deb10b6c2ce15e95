import { checkBuildEnv } from '../buildpack/build-env.js';
import { writeEnvDir } from '../buildpack/env-dir.js';
import type { Workspace } from '../buildpack/workspace.js';
import type { Tools } from './tools.js';

export interface EnvRequest {
  readonly configVars: Readonly<Record<string, string>>;
  readonly buildEnv: Readonly<Record<string, string>>;
}

/** Writes the config vars into ENV_DIR, and refuses what scripts could not be given. Throws `ENV_INVALID`. */
export async function writeEnv(
  { configVars, buildEnv }: EnvRequest,
  workspace: Workspace,
  { on }: Pick<Tools, 'on'>,
): Promise<void> {
  checkBuildEnv(buildEnv);
  for (const notice of await writeEnvDir(workspace, configVars)) on({ type: 'notice', ...notice });
}

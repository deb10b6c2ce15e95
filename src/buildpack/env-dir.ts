import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigVars, checkConfigVars } from './config-vars.js';
import type { Notice } from './notice.js';
import { hostPath, INSIDE, type Workspace } from './workspace.js';

/** Writes ENV_DIR afresh: one file per config var with exactly its value (R39), 0600 in a 0700 directory (R21). */
export async function writeEnvDir(workspace: Workspace, vars: ConfigVars): Promise<readonly Notice[]> {
  const notices = checkConfigVars(vars);
  const dir = hostPath(workspace, INSIDE.envDir);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  await chmod(dir, 0o700);
  for (const [name, value] of Object.entries(vars)) {
    await writeFile(join(dir, name), value, { mode: 0o600, flag: 'wx' });
  }
  return notices;
}

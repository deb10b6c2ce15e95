import { join } from 'node:path';
import { noneMatched } from '../buildpack/auto-detect.js';
import { hostPath, type Workspace } from '../buildpack/workspace.js';
import { runProcess } from '../system/process.js';
import type { Gathered } from './gather-buildpacks.js';
import type { Tools } from './tools.js';

/**
 * Asks the bundled buildpacks whether any of them will see an app in the source, without a base to ask them on: they look for
 * files and run nothing of the app. Says nothing of a list of others. Throws `DETECT_NONE_MATCHED`.
 */
export async function probeBundled(
  { buildpacks, auto }: Gathered,
  source: string,
  workspace: Workspace,
  tools: Tools,
): Promise<void> {
  if (!auto) return;
  const refusals: Parameters<typeof noneMatched>[0][number][] = [];
  for (const { id, dir } of buildpacks) {
    const { code, lastLines } = await runProcess({
      file: '/bin/bash',
      args: [join(hostPath(workspace, dir), 'bin/detect'), hostPath(workspace, workspace.buildDir)],
      env: { PATH: tools.env['PATH'] ?? '/usr/bin:/bin' },
      signal: tools.signal,
    });
    if (code === 0) return;
    refusals.push([id, { status: code ?? 1, reason: lastLines }]);
  }
  throw noneMatched(refusals, source);
}

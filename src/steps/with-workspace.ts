import { type BuildDir, makeWorkspace, type Workspace } from '../buildpack/workspace.js';
import type { Cache } from '../cache/cache.js';
import { withTempDir } from '../system/tempdir.js';
import { sweepCache } from './sweep-cache.js';

/** Runs `work` with a build's private directories; they are removed afterwards, as is what killed builds left. */
export async function withWorkspace<T>(
  buildDir: BuildDir,
  cache: Cache,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  await sweepCache(cache);
  return withTempDir('build', cache.work, async (hostDir) => work(await makeWorkspace(hostDir, buildDir)));
}

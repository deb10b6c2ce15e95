import { type BuildDir, makeWorkspace, type Workspace } from '../buildpack/workspace.js';
import type { Cache } from '../cache/cache.js';
import { sweepStale, withTempDir } from '../system/tempdir.js';

/** Runs `work` with a build's private directories; they are removed afterwards, as is what killed builds left. */
export async function withWorkspace<T>(
  buildDir: BuildDir,
  cache: Cache,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  await sweepStale(cache.work);
  return withTempDir('build', cache.work, async (hostDir) => work(await makeWorkspace(hostDir, buildDir)));
}

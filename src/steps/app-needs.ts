import { directoriesOf, hostPath, INSIDE, type Workspace } from '../buildpack/workspace.js';
import { findNeeds } from '../layers/needs.js';
import type { Writers } from '../layers/writers.js';
import type { Needs } from '../oci/app.js';
import type { Platform } from '../values/platform.js';
import { type BaseContents, tellMissing } from './check-run-base.js';
import type { Tools } from './tools.js';

/**
 * What the tree that the buildpacks left needs of a base, judged by the one it was built on and by no other; and a word about
 * what the base that it is to run on lacks of it.
 */
export function appNeeds(
  writers: Writers,
  bases: BaseContents,
  platform: Platform,
  workspace: Workspace,
  tools: Tools,
): Needs {
  const found = findNeeds({
    root: hostPath(workspace, workspace.buildDir),
    tree: [...writers].map(([path, { entry }]) => [path, entry] as const),
    at: INSIDE.app,
    buildDirectories: [
      ...directoriesOf(workspace).flatMap(([inside]) => (KEPT.includes(inside) ? [] : [inside])),
      // Without isolation, the names inside are those of the host.
      workspace.hostDir,
    ],
    architecture: platform.architecture,
    base: bases.build,
  });
  tellMissing(found, bases.run, tools.on);
  return found.needs;
}

/** Directories of a build that there are at run time too. */
const KEPT: readonly string[] = [INSIDE.tmp, INSIDE.app];

import { quoted } from '../buildpack/notice.js';
import type { Cache } from '../cache/cache.js';
import { resolveIn } from '../layers/inventory.js';
import type { Inventory } from '../layers/merge.js';
import type { FoundNeeds } from '../layers/needs.js';
import { directoryTaken, OWN_DIRECTORIES } from '../layers/own-directories.js';
import type { Provides } from '../oci/rebase-checks.js';
import { fail } from '../values/error.js';
import type { Listener } from '../values/events.js';
import { type BaseFiles, providesOf } from './base-provides.js';
import type { Bases } from './prepare-bases.js';
import type { Tools } from './tools.js';

/** What the two bases of a build have. */
export interface BaseContents {
  readonly run: Provides & Pick<BaseFiles, 'hasProgram'>;
  readonly build: Provides;
}

/**
 * Looks at both bases before anything is built on them, and hands on what each has. Throws what `requireRunBase` and reading
 * layers throw.
 */
export async function checkBases(
  { run, build }: Pick<Bases, 'run' | 'build'>,
  cache: Cache,
  tools: Tools,
): Promise<BaseContents> {
  const files = await providesOf(run.base.image, run.blobs, cache, tools);
  requireRunBase(files.inventory, run.reference, tools.on);
  return { run: files, build: build === run ? files : await providesOf(build.base.image, build.blobs, cache, tools) };
}

/**
 * Requires of the base that an app is to run on what every app needs (R117). Throws `BASE_UNUSABLE` without bash, and
 * `BASE_APP_DIRECTORY` where it has something of its own in the app's place. Tells if programs cannot write to /tmp.
 */
export function requireRunBase(inventory: Inventory, reference: string, on: Listener): void {
  const bash = resolveIn(inventory, '/bin/bash')?.entry;
  if (bash?.type !== 'file' || (bash.mode & 0o111) === 0) {
    throw fail('BASE_UNUSABLE', {
      what: `nothing can be started on the base ${reference}: it has no /bin/bash`,
      why: 'commands of a Procfile and scripts in .profile.d are run by bash',
      fix: 'name a base that has bash with --base',
    });
  }
  for (const own of OWN_DIRECTORIES) requireFree(inventory, own);
  const tmp = resolveIn(inventory, '/tmp')?.entry;
  if (tmp?.type === 'directory' && (tmp.mode & 0o1777) === 0o1777) return;
  on({
    type: 'notice',
    code: 'BASE_TMP',
    message: `the base ${reference} has no /tmp that everyone may write to (mode 1777): programs that need it fail`,
  });
}

/** Says what the app refers to and the base that it is to run on lacks (R117, R121). The build goes on. */
export function tellMissing(
  { needs, unmet, programs, users, lost }: FoundNeeds,
  base: BaseContents['run'],
  on: Listener,
): void {
  const withUsers = (missing: readonly string[]) => missing.map((name) => [name, users.get(name) ?? ''] as const);
  const libraries = [...needs.libraries, ...unmet.libraries].filter((soname) => !base.hasLibrary(soname)).sort();
  if (libraries.length > 0) {
    on({
      type: 'notice',
      code: 'LIBRARY_MISSING',
      message: `the run base lacks libraries that the app asks for: ${listed(withUsers(libraries))}. Programs that need them will not start: set --stack to the base's own stack, or name a base that has them`,
    });
  }
  const versions = Object.entries(needs.versions).flatMap(([soname, asked]) => {
    const missing = base.hasLibrary(soname) ? asked.filter((version) => !base.hasVersion(soname, version)) : [];
    return missing.map((version) => [`${version} in ${soname}`, users.get(soname) ?? ''] as const);
  });
  if (versions.length > 0) {
    on({
      type: 'notice',
      code: 'LIBRARY_OLDER',
      message: `libraries of the run base are older than the app was linked with: they lack ${listed(versions)}. Programs that need them will not start: build on the run base's own build image`,
    });
  }
  const paths = [...needs.paths, ...unmet.paths].filter((path) => !base.hasPath(path)).sort();
  const unknown = [...programs].filter(([name]) => !base.hasProgram(name)).sort();
  if (paths.length + unknown.length > 0) {
    on({
      type: 'notice',
      code: 'PATH_MISSING',
      message: `the run base lacks what files of the app refer to: ${listed([...withUsers(paths), ...unknown])}`,
    });
  }
  if (lost.size > 0) {
    on({
      type: 'notice',
      code: 'BUILD_PATH_KEPT',
      message: `files of the app refer to directories that are gone after the build: ${listed([...lost].map(([user, path]) => [path, user]))}`,
    });
  }
}

const MOST = 10;

function listed(missing: readonly (readonly [name: string, user: string])[]): string {
  const some = missing.slice(0, MOST).map(([name, user]) => `${quoted(name)} (for ${quoted(user)})`);
  return `${some.join(', ')}${missing.length > MOST ? ` and ${missing.length - MOST} more` : ''}`;
}

function requireFree(inventory: Inventory, own: string): void {
  const entry = inventory.get(own);
  if (entry === undefined) return;
  const filled = [...inventory.keys()].some((path) => path.startsWith(`${own}/`));
  if (entry.type !== 'directory' || filled) throw directoryTaken(own, entry.type);
}

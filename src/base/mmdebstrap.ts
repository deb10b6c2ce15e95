import { runProcess } from '../system/process.js';
import { isAtLeast } from '../system/tools.js';
import { fail } from '../values/error.js';
import * as hooks from './hooks.js';
import { RUN_PACKAGES } from './packages.js';
import { snapshotHook } from './snapshot-hook.js';
import type { Suite } from './suites.js';

/** The first version with the hooks and options used here. */
const FLOOR = '1.2.0';

/** Throws `TOOL_MISSING` when there is no mmdebstrap, or none that is new enough. */
export async function requireMmdebstrap(
  env: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { stdout } = await runProcess({ file: 'mmdebstrap', args: ['--version'], env, signal });
  const version = Buffer.from(stdout).toString('utf8').trim();
  if (await isAtLeast(version, FLOOR)) return;
  throw fail('TOOL_MISSING', {
    what: `this machine's mmdebstrap cannot make a base`,
    why: `found ${version || 'no version'}; at least ${FLOOR} is needed`,
    fix: 'make the base on Debian 12, Ubuntu 24.04 or newer',
    details: { program: 'mmdebstrap', found: version, needed: FLOOR },
  });
}

export interface MmdebstrapRun {
  readonly suite: Suite;
  /** Lines of sources.list; mmdebstrap's own choice when empty. */
  readonly mirrors: readonly string[];
  readonly settings: hooks.HookSettings;
  /** Directories of kept and of newly fetched packages. */
  readonly debs: { readonly kept: string; readonly fetched: string } | undefined;
}

/**
 * The arguments of one run that makes both images: the run packages are installed and the tree is taken, then the build
 * packages are installed in the same tree and it is taken again. So all that the images share is the same file in both.
 */
export function mmdebstrapArguments({ suite, mirrors, settings, debs }: MmdebstrapRun): readonly string[] {
  const before = debs === undefined ? [] : [`sync-in ${quoted(debs.kept)} /var/cache/apt/archives`, hooks.MARK_HOOK];
  const after =
    debs === undefined ? [] : [hooks.FETCHED_HOOK, `sync-out /var/cache/apt/archives ${quoted(debs.fetched)}`];
  const build = settings.buildPackages.length === 0 ? [] : [hooks.INSTALL_HOOK, snapshotHook('build')];
  const customize = [hooks.USER_HOOK, snapshotHook('run'), ...build, ...after];
  return [
    '--mode=unshare',
    '--variant=apt',
    '--format=null',
    // Packages are kept for the next run; the rest of the cleaning is the snapshots' work.
    '--skip=essential/unlink,chroot/start-stop-daemon,cleanup',
    `--include=${[...RUN_PACKAGES, ...settings.include].join(',')}`,
    ...[hooks.SETUP_HOOK, ...before].map((hook) => `--setup-hook=${hook}`),
    `--extract-hook=${hooks.CHECK_HOOK}`,
    `--essential-hook=${hooks.SLIM_HOOK}`,
    ...customize.map((hook) => `--customize-hook=${hook}`),
    suite.codename,
    '/dev/null',
    ...(mirrors.length === 0 ? [] : [mirrors.join('\n')]),
  ];
}

/** As mmdebstrap splits the words of its special hooks: like a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

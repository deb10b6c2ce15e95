import type { Breach, SandboxLimits } from '../sandbox/cgroup.js';
import type { Exit, Sandbox, SandboxNetwork } from '../sandbox/sandbox.js';
import { fail } from '../values/error.js';
import type { Listener } from '../values/events.js';
import { keepDirectories } from './keep-directories.js';
import { checkScript } from './script-check.js';
import type { LogRules } from './script-log.js';
import { lookingMounts, type RootedWorkspace } from './workspace.js';

/** A buildpack that lies in the workspace. */
export interface PlacedBuildpack {
  /** For messages: the reference as it was written, without credentials. */
  readonly id: string;
  /** Its directory inside. */
  readonly dir: string;
}

/** What every script of a build is run with. */
export interface ScriptTools extends LogRules {
  readonly workspace: RootedWorkspace;
  readonly sandbox: Sandbox;
  /** The whole environment (`makeBuildEnv`); for later buildpacks with exports laid over it. */
  readonly env: Readonly<Record<string, string>>;
  readonly network: SandboxNetwork;
  /** Who scripts run as (R43); `app` if absent. */
  readonly user?: 'app' | 'root' | undefined;
  readonly limits?: SandboxLimits | undefined;
  readonly on: Listener;
  readonly signal?: AbortSignal | undefined;
}

export interface ScriptRun {
  readonly script: 'bin/detect' | 'bin/compile' | 'bin/release' | 'bin/report';
  /** Directories by their names inside. */
  readonly args: readonly string[];
  /** True for the phases that may not write BUILD_DIR. */
  readonly looking: boolean;
  readonly output: 'merged' | 'split';
  readonly timeoutMs: number;
  readonly onOutput: (chunk: Uint8Array, stream: 'stdout' | 'stderr') => void;
}

/**
 * Runs the script, and once it has ended waits for what it left behind, a second at most: the filter of an
 * `exec > >(sed ...)` may still hold the last lines, and the sandbox dies with its first program (R46). Process 2 is this
 * shell's number only where nothing else can be seen. A script without a first `#!` line is run by the shell (R8). The trap
 * lets the shell outlive the signal that a stop sends to all.
 */
const RUN_SCRIPT = `
umask 022
trap : TERM
"$0" "$@"
status=$?
[ $$ = 2 ] || exit $status
for tick in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  for process in /proc/[0-9]*; do
    case $process in /proc/1 | /proc/2) ;; *) sleep 0.05; continue 2 ;; esac
  done
  break
done
exit $status
`;

/**
 * Runs one script of a buildpack by its absolute path (R7), cwd the buildpack's directory (R53), umask 022 (R25), stdin
 * closed. Throws `BUILDPACK_INVALID` when it cannot start, `BUILD_DIR_LOST`, and what the sandbox throws.
 */
export async function runScript(buildpack: PlacedBuildpack, run: ScriptRun, tools: ScriptTools): Promise<Exit> {
  const { workspace, sandbox } = tools;
  await keepDirectories(workspace, `${run.script} of ${buildpack.id}`);
  await checkScript(buildpack, run.script, tools);
  const mounts = run.looking ? lookingMounts(workspace) : workspace.mounts;
  const named = (inside: string) => sandbox.pathOf(inside, mounts);
  const exit = await sandbox.run({
    root: workspace.root,
    mounts,
    argv: ['/bin/sh', '-c', RUN_SCRIPT, named(`${buildpack.dir}/${run.script}`), ...run.args.map(named)],
    cwd: buildpack.dir,
    env: tools.env,
    network: tools.network,
    user: tools.user,
    output: run.output,
    onOutput: run.onOutput,
    timeoutMs: run.timeoutMs,
    signal: tools.signal,
    limits: tools.limits,
  });
  tellUnenforced(exit, tools);
  if (exit.breach !== undefined) throw breached(exit.breach, buildpack, run, tools);
  return exit;
}

const BREACHES = {
  memory: { code: 'MEMORY_EXCEEDED', what: 'took more memory than it may', flag: '--max-memory' },
  processes: { code: 'PROCESSES_EXCEEDED', what: 'started more processes than it may', flag: '--max-processes' },
} as const;

function breached(breach: Breach, { id }: PlacedBuildpack, { script }: ScriptRun, { limits }: ScriptTools) {
  const { code, what, flag } = BREACHES[breach];
  const limit = (breach === 'memory' ? limits?.memoryBytes : limits?.processes) ?? null;
  return fail(code, {
    what: `${script} of ${id} ${what}`,
    why: `the limit is ${limit}${breach === 'memory' ? ' bytes' : ''}`,
    fix: `raise it with ${flag}, or see what takes so much`,
    details: { buildpack: id, limit },
  });
}

function tellUnenforced({ unenforced = [] }: Exit, { on }: ScriptTools): void {
  for (const breach of unenforced) {
    const message = `${BREACHES[breach].flag} cannot be enforced here: this user may make no control group`;
    on({ type: 'notice', code: 'LIMIT_UNENFORCED', message });
  }
}

import { readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { inheritableDescriptors } from '../system/descriptors.js';
import { signalGroup, signalProcess } from '../system/group.js';
import { type ProcessResult, runProcess } from '../system/process.js';
import { readStat } from '../system/stat.js';
import { findProgram, installCommand, isAtLeast, requireProgram } from '../system/tools.js';
import { fail } from '../values/error.js';
import { bwrapArguments } from './bwrap-arguments.js';
import { bwrapFailure } from './bwrap-failure.js';
import { type BwrapStatus, readBwrapStatus } from './bwrap-status.js';
import { makeCgroup } from './cgroup.js';
import { readStatus } from './exit-status.js';
import { hostFiles } from './host-files.js';
import type { Exit, Mount, Sandbox, SandboxCommand } from './sandbox.js';
import { seccompFilter } from './seccomp.js';

/** `--disable-userns` came with this version. */
const FLOOR = '0.8.0';
const ARGUMENTS_FD = 3;
const STATUS_FD = 4;
const SECCOMP_FD = 5;

/** What a sandbox made by bubblewrap takes from its host. */
export interface BubblewrapOptions {
  /** Where PATH, to find bwrap, and the names of a CA bundle come from. Nothing of it reaches the sandbox. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The host's files to show, in place of its resolv.conf, hosts and CA bundle. */
  readonly hostFiles?: readonly Mount[] | undefined;
}

/**
 * Sandboxes made by bubblewrap, for root and for ordinary users: namespaces of their own, no capabilities, uid and gid 1000 or 0,
 * nothing of the host but the mounts and the host files, and a filter of system calls. They share the host's kernel, and its
 * network when the command says so. All processes of a sandbox die with this one, also when it is killed. Its `run` throws `SANDBOX_MISSING`,
 * `SANDBOX_TOO_OLD`, `SANDBOX_FAILED` and `INTERRUPTED`.
 */
export function bubblewrap(options: BubblewrapOptions): Sandbox {
  let finding: Promise<string> | undefined;
  const program = () => {
    finding ??= findBwrap(options.env['PATH']);
    return finding;
  };
  return {
    kind: 'bwrap',
    pathOf: (inside) => inside,
    check: async () => void (await program()),
    run: async (command) => {
      requireMainThread();
      const files = options.hostFiles ?? (await hostFiles(options.env));
      if (command.limits === undefined) return await runIn(await program(), command, files, options.env['PATH'], []);
      const group = await makeCgroup(command.limits);
      try {
        const exit = await runIn(await program(), command, files, options.env['PATH'], group.joins);
        return { ...exit, breach: await group.breach(), unenforced: group.unenforced };
      } finally {
        await group.remove();
      }
    },
  };
}

/** The kernel ends a sandbox with the *thread* that started it, so a worker's end would be its end. */
function requireMainThread(): void {
  if (isMainThread) return;
  throw fail('SANDBOX_FAILED', {
    what: 'a sandbox cannot be started from a worker thread',
    why: 'it would be killed when that thread ends, which need not be the end of the program',
    fix: 'call build, run and rebase from the main thread, or from a process of their own',
  });
}

async function findBwrap(path: string | undefined): Promise<string> {
  const program = await findProgram('bwrap', path);
  const fix = `${installCommand('bwrap')}; or use --sandbox host if you trust the app and its buildpacks`;
  if (program === undefined) {
    throw fail('SANDBOX_MISSING', {
      what: 'bubblewrap, which makes the sandbox, is not installed',
      why: 'there is no bwrap on PATH',
      fix,
    });
  }
  const { stdout } = await runProcess({ file: program, args: ['--version'], env: {} });
  const version = Buffer.from(stdout).toString('utf8').trim();
  if ((await isAtLeast(version, FLOOR)) !== true) {
    throw fail('SANDBOX_TOO_OLD', {
      what: `${program} is too old`,
      why: `found ${version}, needed ${FLOOR} or newer`,
      fix,
      details: { version },
    });
  }
  return program;
}

async function runIn(
  program: string,
  command: SandboxCommand,
  files: readonly Mount[],
  path: string | undefined,
  joins: readonly string[],
): Promise<Exit> {
  const status = readBwrapStatus();
  const filter = seccompFilter(arch());
  const options = [
    ...['--args', `${ARGUMENTS_FD}`, '--json-status-fd', `${STATUS_FD}`],
    ...(filter === undefined ? [] : ['--seccomp', `${SECCOMP_FD}`]),
  ];
  const [file = program, ...args] = await withoutInherited(
    [...(await entering(command, path)), program, ...options, '--', ...command.argv],
    path,
    joins,
  );
  const result = await runProcess({
    file,
    args,
    cwd: '/',
    // bwrap stays visible inside as process 1: neither its environment nor its arguments may tell anything.
    env: {},
    output: command.output,
    maxCapture: 0,
    onOutput: command.onOutput,
    descriptors: [
      // Not on the command line, which every user of the host can read: there may be secrets in the environment.
      {
        fd: ARGUMENTS_FD,
        give: Buffer.from(
          bwrapArguments(command, files)
            .map((option) => `${option}\0`)
            .join(''),
        ),
      },
      { fd: STATUS_FD, take: ({ reader }) => void reader.on('data', status.add) },
      ...(filter === undefined ? [] : [{ fd: SECCOMP_FD, give: filter }]),
    ],
    signal: command.signal,
    abortIsExit: command.init !== undefined,
    graceMs: command.init?.graceMs,
    timeoutMs: command.timeoutMs,
    terminate: () => terminate(status.childPid(), command),
  }).finally(() => untilDead(status.childPid()));
  return await exitOf(command, result, status);
}

/** A program that goes into the network of the command first. What it then starts has no more rights there than outside. */
async function entering({ network }: SandboxCommand, path: string | undefined): Promise<readonly string[]> {
  if (typeof network === 'string') return [];
  const namespaces = [`--user=/proc/${network.pid}/ns/user`, `--net=/proc/${network.pid}/ns/net`];
  return [await requireProgram('nsenter', path), '--preserve-credentials', ...namespaces, '--'];
}

/** Puts the shell into the control groups of its first arguments, which their number precedes. */
const JOIN = 'n=$1; shift; for ((; n > 0; n--)); do echo $$ > "$1" || exit 125; shift; done';

/** Has a shell come under the limits, and close the descriptors that this process itself inherited: bwrap would pass them on, and Node cannot close them. */
async function withoutInherited(
  argv: readonly string[],
  path: string | undefined,
  joins: readonly string[],
): Promise<readonly string[]> {
  const leaks = (await inheritableDescriptors()).filter((fd) => fd > SECCOMP_FD);
  if (leaks.length === 0 && joins.length === 0) return argv;
  const closing = leaks.map((fd) => `${fd}<&-`).join(' ');
  const bash = await requireProgram('bash', path);
  return [bash, '--norc', '-c', `${JOIN}; eval "exec $0"; exec "$@"`, closing, `${joins.length}`, ...joins, ...argv];
}

/** SIGTERM for the program and its group. bwrap itself must live on: with it, all would be killed at once. */
function terminate(childPid: number | undefined, command: SandboxCommand): boolean {
  if (childPid === undefined) return false;
  if (command.init !== undefined) return signalProcess(childPid, 'SIGTERM');
  if (command.output !== 'inherit') return signalGroup(childPid, 'SIGTERM');
  const children = readFileSync(`/proc/${childPid}/task/${childPid}/children`, { encoding: 'utf8', flag: 'r' }).trim();
  return children !== '' && children.split(' ').every((pid) => signalProcess(Number(pid), 'SIGTERM'));
}

/** The end of a pid namespace's first process is the end of all its processes. */
async function untilDead(childPid: number | undefined): Promise<void> {
  if (childPid === undefined) return;
  for (let waited = 0; (await readStat(childPid)) !== undefined; waited += 5) {
    if (waited === 2000) signalProcess(childPid, 'SIGKILL');
    if (waited > 10_000) {
      throw fail('SANDBOX_FAILED', {
        what: 'processes in the sandbox do not end',
        why: `process ${childPid} was killed 8 seconds ago and still runs`,
        details: { pid: childPid },
      });
    }
    await sleep(5);
  }
}

async function exitOf(command: SandboxCommand, result: ProcessResult, status: BwrapStatus): Promise<Exit> {
  const { timedOut } = result;
  const code = status.exitCode();
  if (code !== undefined) return { ...readStatus(code), timedOut };
  if (result.killedBy !== undefined || timedOut)
    return { code: undefined, killedBy: result.killedBy ?? 'SIGKILL', timedOut };
  throw await bwrapFailure(command, result.lastLines, result.code ?? 0);
}

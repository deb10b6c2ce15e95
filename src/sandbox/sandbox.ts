import type { Breach, SandboxLimits } from './cgroup.js';

/** A host directory or file, seen by the process under another name. */
export interface Mount {
  readonly from: string;
  readonly to: string;
  readonly writable: boolean;
}

/** A network that this process holds: a user namespace and the network namespace that belongs to it. */
export interface PrivateNetwork {
  readonly pid: number;
}

/** This machine's network, none but a loopback, or one that was made for the build. */
export type SandboxNetwork = 'host' | 'none' | PrivateNetwork;

/** One process to run in a sandbox. All paths but `root` and the mounts' `from` are names inside. */
export interface SandboxCommand {
  /** The unpacked base: a directory on the host, seen read-only as `/`. */
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** The program by its absolute path inside, and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly network: SandboxNetwork;
  /** Who the program is: uid and gid 1000 (`app`, if absent) or 0 (`root`). Root has no capabilities either. */
  readonly user?: 'app' | 'root' | undefined;
  /**
   * Where output goes. `merged` joins stdout and stderr in the child, so that the order of arrival is kept; `split` keeps
   * them apart; `inherit` gives the process this process's own terminal (only for `run`).
   */
  readonly output: 'merged' | 'split' | 'inherit';
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined;
  /**
   * Makes the program the sandbox's first process, as in a container. When `signal` aborts, it gets SIGTERM and `graceMs`
   * to end; `run` then resolves with its exit in place of throwing `INTERRUPTED`.
   */
  readonly init?: { readonly graceMs: number } | undefined;
  readonly timeoutMs?: number | undefined;
  /** Of all processes together. Those that cannot be held are in the exit's `unenforced`. */
  readonly limits?: SandboxLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a process ended. Exactly one of `code` and `killedBy` is set unless it never started (then an error is thrown). */
export interface Exit {
  readonly code: number | undefined;
  /** The signal's name, such as `SIGKILL`. */
  readonly killedBy: string | undefined;
  readonly timedOut: boolean;
  /** The limit that was met, if one was. */
  readonly breach?: Breach | undefined;
  readonly unenforced?: readonly Breach[] | undefined;
}

/**
 * A place to run what is not trusted.
 *
 * `run` resolves when the direct child has ended (not when its pipes close); by then every process it left behind is dead.
 * Throws `SANDBOX_MISSING`, `SANDBOX_TOO_OLD`, `SANDBOX_FAILED`, and `INTERRUPTED` when the signal aborts.
 */
export interface Sandbox {
  readonly kind: 'bwrap' | 'host';
  run(command: SandboxCommand): Promise<Exit>;
  /** Whether it can run anything at all, to be asked before long work: throws as `run` would. */
  check?(): Promise<void>;
  /** The name under which a process run with these mounts knows `inside` (the same, unless there is no isolation). */
  pathOf(inside: string, mounts: readonly Mount[]): string;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Contents by relative path; null makes a directory. */
export type Files = Readonly<Record<string, string | null>>;

/** An image as the launcher meets it, and how a container is made of it. */
export interface Container {
  readonly app?: Files;
  readonly processes?: Files;
  readonly args?: readonly string[];
  /** The whole environment of the container, empty by default. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Files to mount, by absolute path. */
  readonly mounts?: Files;
  readonly bwrap?: readonly string[];
  readonly pid1?: boolean;
  /** Gives the container a terminal. */
  readonly terminal?: boolean;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Resolves when the output holds the text; fails with the output when the container ends before. */
  readonly printed: (text: string, times?: number) => Promise<void>;
  /** Signals the container's first process, as a container engine does. */
  readonly signal: (name: NodeJS.Signals) => void;
  readonly type: (keys: string) => void;
  readonly outcome: Promise<Outcome>;
}

const LAUNCHER = fileURLToPath(new URL('../../../src/launcher/launcher.sh', import.meta.url));

/** Runs a container to its end. */
export async function run(container: Container): Promise<Outcome> {
  return (await start(container)).outcome;
}

/** Starts a container; its directory is removed when it has ended. */
export async function start(container: Container): Promise<Running> {
  const root = await mkdtemp(join(tmpdir(), 'launcher-'));
  await write(join(root, 'app'), container.app ?? {});
  await write(join(root, 'pack-build/processes'), container.processes ?? {});
  await write(join(root, 'mounts'), container.mounts ?? {});
  await cp(LAUNCHER, join(root, 'pack-build/launcher'));
  const launcher = ['/pack-build/launcher', ...(container.args ?? [])];
  const command = container.terminal
    ? sparingBwrap(bwrap(root, container), launcher)
    : [...bwrap(root, container), ...launcher];
  const child = spawnContainer(command, container);
  return watch(child, () => rm(root, { recursive: true, force: true }));
}

async function write(root: string, files: Files): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const place = join(root, path);
    await mkdir(content === null ? place : dirname(place), { recursive: true });
    if (content !== null) await writeFile(place, Buffer.from(content, 'latin1'));
  }
}

function bwrap(root: string, container: Container): string[] {
  const base = '--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64';
  const world = '--ro-bind /etc /etc --proc /proc --dev /dev --tmpfs /tmp --chdir / --clearenv --info-fd 3';
  return [
    ...`bwrap --unshare-pid --die-with-parent ${base} ${world}`.split(' '),
    ...(container.pid1 === false ? [] : ['--as-pid-1']),
    ...['--bind', join(root, 'app'), '/app', '--ro-bind', join(root, 'pack-build'), '/pack-build'],
    ...Object.keys(container.mounts ?? {}).flatMap((path) => ['--ro-bind', join(root, 'mounts', path), path]),
    ...['--remount-ro', '/'],
    ...Object.entries(container.env ?? {}).flatMap(setenv),
    ...(container.bwrap ?? []),
  ];
}

/** With a terminal, Ctrl-C would end bwrap and with it the container; in an engine only the container has the terminal. */
function sparingBwrap(outside: readonly string[], inside: readonly string[]): string[] {
  return ['env', '--ignore-signal=INT', ...outside, 'env', '--default-signal=INT', ...inside];
}

function setenv([name, value]: readonly [string, string]): string[] {
  return ['--setenv', name, value];
}

// `exec`, as some shells would stay, and end with the Ctrl-C that is meant for the container.
function spawnContainer(command: readonly string[], container: Container): ChildProcess {
  const [program = '', ...args] = container.terminal
    ? ['script', '-qefc', `exec ${quoted(command)}`, '/dev/null']
    : command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  child.stdin?.on('error', () => undefined);
  if (!container.terminal) child.stdin?.end(container.stdin ?? '');
  return child;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

function watch(child: ChildProcess, cleanUp: () => Promise<void>): Running {
  const output = { stdout: '', stderr: '', info: '' };
  child.stdout?.on('data', (data: Buffer) => (output.stdout += data.toString('latin1')));
  child.stderr?.on('data', (data: Buffer) => (output.stderr += data.toString('latin1')));
  child.stdio[3]?.on('data', (data: Buffer) => (output.info += data));
  const signal = (name: NodeJS.Signals) => process.kill(JSON.parse(output.info)['child-pid'], name);
  const limit = setTimeout(() => signal('SIGKILL'), 20_000);
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  return {
    printed: (text, times = 1) =>
      until(() => {
        const found = (output.stdout + output.stderr).split(text).length > times;
        if (!found && (child.exitCode ?? child.signalCode) !== null)
          throw new Error(`ended without printing ${text}: ${Object.values(output)}`);
        return found;
      }),
    signal,
    type: (keys) => child.stdin?.write(keys),
    outcome: ended.then(async (code) => {
      clearTimeout(limit);
      await cleanUp();
      return { code, stdout: output.stdout, stderr: output.stderr };
    }),
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

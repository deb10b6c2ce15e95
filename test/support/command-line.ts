import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, lstat, mkdir, mkdtemp, readdir, readFile, readlink, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { removeTree } from '../../src/system/remove.js';
import { type Files, writeFiles } from './product.js';
import { type Tag, tinyBase } from './tiny-base.js';

/** The compiled command line. `npm test` compiles it. */
export const MAIN = join(process.cwd(), 'dist/cli/main.js');

/** What a command did. */
export interface CliRun {
  /** The exit status; 128 and the signal's number when one ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
  readonly stderrBytes: Buffer;
  readonly ms: number;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Over the environment that every command gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** What runs the command, in place of this Node (called as the first line of the command's file does): program and arguments. */
  readonly node?: readonly string[];
}

/** A command that runs. */
export interface CliStarted {
  readonly child: ChildProcess;
  readonly ended: Promise<CliRun>;
  /** What it has printed by now. */
  readonly stderr: () => string;
  readonly stdout: () => string;
  /** Waits until one of the outputs has this text. */
  readonly says: (text: string) => Promise<void>;
}

export interface Cli {
  readonly home: () => string;
  readonly cacheDir: () => string;
  readonly run: (args: readonly string[], options?: CliOptions) => Promise<CliRun>;
  readonly start: (args: readonly string[], options?: CliOptions) => CliStarted;
  /** `oci:LAYOUT:TAG` of the tiny base. */
  readonly base: (tag?: Tag) => string;
  /** A new directory with these files. */
  readonly directory: (files?: Files) => Promise<string>;
  /** What a text says, with the names of this run's directories, digests and durations replaced by constant words. */
  readonly plain: (text: string) => string;
  /** All that a failure must leave as it was: the cache, and nothing of these: temporary files, processes. */
  readonly traces: () => Promise<Traces>;
  /** The same, of places that a command could have written to. */
  readonly treeOf: (directory: string) => Promise<readonly string[]>;
}

export interface Traces {
  /** Of the cache, but for what is derived from bases: names, sizes and times. */
  readonly cache: readonly string[];
  readonly temporary: readonly string[];
  readonly processes: readonly string[];
}

/** The compiled command line over a tiny base, with a home, a cache and a directory for temporary files of its own. */
export function useCli(): Cli {
  let home = '';
  let layout = '';
  let count = 0;
  beforeAll(async () => {
    await access(MAIN).catch(() => {
      throw new Error('dist/ is missing: compile it with `npm run build`');
    });
    const base = await tinyBase();
    layout = base.layout;
    home = await mkdtemp(join(tmpdir(), 'pack-build-e2e-'));
    await mkdir(join(home, 'cache/v1'), { recursive: true });
    await mkdir(join(home, 'tmp'));
    await symlink(base.roots, join(home, 'cache/v1/roots'));
  });
  afterAll(async () => removeTree(home));

  const start = (args: readonly string[], options: CliOptions = {}) => {
    const [program = '', ...before] = options.node ?? [process.execPath, '--'];
    return startCli([program, ...before, MAIN, ...args], options.cwd ?? home, { ...environment(home), ...options.env });
  };
  return {
    home: () => home,
    cacheDir: () => join(home, 'cache'),
    start,
    run: async (args, options) => start(args, options).ended,
    base: (tag = 'run') => `oci:${layout}:${tag}`,
    directory: async (files = {}) => {
      if (home === '') throw new Error('there is no home: what comes before the tests has failed');
      count += 1;
      const made = join(home, `dir${count}`);
      await writeFiles(made, files);
      return made;
    },
    plain: (text) =>
      text
        .replaceAll(layout, 'BASE')
        .replaceAll(home, 'HOME')
        .replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:DIGEST')
        .replaceAll(/\d+\.\d+ s$/gm, 'N s'),
    traces: async () => ({
      cache: (await treeOf(join(home, 'cache/v1'))).filter((line) => !/^(roots|inventories|used)\b|\/$/.test(line)),
      temporary: [
        ...(await readdir(join(home, 'tmp'))),
        ...(await readdir(join(home, 'cache/v1/work')).catch(() => [])),
      ],
      processes: await processesOf(home),
    }),
    treeOf: (directory) => treeOf(directory),
  };
}

/** The environment of every command: nothing of the caller's but PATH. */
function environment(home: string): Readonly<Record<string, string>> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    PACK_BUILD_CACHE_DIR: join(home, 'cache'),
    // Tests that name no base must not depend on who answers on the Internet.
    PACK_BUILD_DEFAULT_BASE: 'debian-12',
    LANG: 'C.UTF-8',
  };
}

function startCli(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>): CliStarted {
  const begun = performance.now();
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  let over = false;
  const ended = new Promise<CliRun>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      const [stdoutBytes, stderrBytes] = [Buffer.concat(out), Buffer.concat(err)];
      resolve({
        status: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0),
        stdout: stdoutBytes.toString(),
        stderr: stderrBytes.toString(),
        stdoutBytes,
        stderrBytes,
        ms: performance.now() - begun,
      });
    });
  });
  const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString();
  const says = async (wanted: string) => {
    for (let waited = 0; !`${text(out)}\n${text(err)}`.includes(wanted); waited += 10) {
      if (over || waited > 60_000)
        throw new Error(`it never said ${JSON.stringify(wanted)}:\n${text(out)}${text(err)}`);
      await sleep(10);
    }
  };
  return { child, ended, stdout: () => text(out), stderr: () => text(err), says };
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Every file below a directory with its size and digest, in order. Links are not followed. */
async function treeOf(directory: string, below = ''): Promise<readonly string[]> {
  const entries = await readdir(join(directory, below), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = join(below, entry.name);
    found.push(await describe(directory, name));
    if (entry.isDirectory()) found.push(...(await treeOf(directory, name)));
  }
  return found;
}

async function describe(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) return `${name} -> ${await readlink(path)}`;
  if (stat.isDirectory()) return `${name}/`;
  if (!stat.isFile()) return name;
  const hash = createHash('sha256').update(await readFile(path));
  return `${name} ${stat.size} ${hash.digest('hex').slice(0, 12)}`;
}

/** Processes that have a directory of this run mounted, or name one in their arguments. */
async function processesOf(home: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
  const found: string[] = [];
  for (const pid of pids) {
    const seen = await Promise.all(
      ['cmdline', 'mountinfo'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (seen.some((text) => text.includes(home))) found.push(`${pid} ${seen[0]?.replaceAll('\0', ' ')}`);
  }
  return found;
}

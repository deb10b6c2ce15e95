import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from 'execa';
import { fail } from '../values/error.js';
import { captureHead, captureTail } from './capture.js';
import { countGroup, killGroup } from './group.js';
import { openPipe, type Pipe } from './pipe.js';
import { interrupted, pipesFailure, type StartFailure, startFailure } from './process-failure.js';
import { type StopRules, watchForStop } from './stop.js';
import { withTempDir } from './tempdir.js';

/** A program to run. */
export interface ProcessRequest extends StopRules {
  /** An absolute path, or a name that is looked up on the PATH of `env`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** What the program reads; nothing if absent. */
  readonly stdin?: Uint8Array | string | AsyncIterable<Uint8Array> | undefined;
  /**
   * `tool` (the default) keeps stdout and stderr apart. So does `split`, but over true pipes, which scripts can open again
   * as `/dev/stderr`; `merged` joins both in one pipe in their order of arrival. `inherit` gives the program this
   * process's own stdin, stdout, stderr and terminal; nothing is captured, and it stays in this process's group.
   */
  readonly output?: 'tool' | 'split' | 'merged' | 'inherit' | undefined;
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined;
  /** How much of stdout to keep, in bytes. 16 MiB if absent. */
  readonly maxCapture?: number | undefined;
  /** Descriptors above 2. */
  readonly descriptors?: readonly ExtraDescriptor[] | undefined;
  /** True for a program that is ended by `signal` as a matter of course: its exit is then a result, not `INTERRUPTED`. */
  readonly abortIsExit?: boolean | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/**
 * A descriptor above 2: bytes for the program to read, or a true pipe that it writes to. `take` gets that pipe before the
 * start and reads it; its writer is closed when the program has ended.
 */
export type ExtraDescriptor =
  | { readonly fd: number; readonly give: Uint8Array | AsyncIterable<Uint8Array> }
  | { readonly fd: number; readonly take: (pipe: Pipe) => void };

export interface ProcessResult {
  /** Absent when a signal ended the program. */
  readonly code: number | undefined;
  readonly killedBy: string | undefined;
  readonly timedOut: boolean;
  readonly stdout: Uint8Array;
  /** True when stdout was longer than `maxCapture`. */
  readonly truncated: boolean;
  /** The last lines of stderr (of all output when merged), without control characters. */
  readonly lastLines: readonly string[];
}

const CAPTURE_BYTES = 16 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 20;
const DRAIN_MS = 1000;

/**
 * Runs a program to its end, which is the exit of the program itself: a process it left behind that holds its pipes is
 * heard for one more second and then killed with the rest of the group. On abort and timeout the group gets SIGTERM, and
 * SIGKILL 1.5 seconds later. A failing exit status is a result, not an error.
 *
 * Throws `TOOL_MISSING` and `TOOL_FAILED` when the program cannot be started, `INTERRUPTED` when `signal` aborts.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const { execa } = await loadExeca();
  if (request.signal?.aborted) throw interrupted(request);
  const pipes = await openPipes(pipeFds(request), execa);
  try {
    return await runWithPipes(request, pipes, execa);
  } finally {
    await Promise.all([...pipes.values()].map(closePipe));
  }
}

type Execa = Awaited<ReturnType<typeof loadExeca>>['execa'];

/** Larger than all the rest of a command that starts no program. */
function loadExeca() {
  return import('execa');
}

async function runWithPipes(request: ProcessRequest, pipes: Pipes, execa: Execa): Promise<ProcessResult> {
  for (const extra of request.descriptors ?? []) if ('take' in extra) extra.take(pipeOf(pipes, extra.fd));
  const child = execa(request.file, [...request.args], optionsFor(request, pipes));
  const ended = new Promise<Ended>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? undefined, killedBy: signal ?? undefined }));
    void child.then((result) => resolve({ code: undefined, killedBy: undefined, failure: result }));
  });
  await closeWriters(pipes, (fd) => fd <= 2);
  const outputs = outputsOf(child.stdio, request, pipes);
  const head = captureHead(request.maxCapture ?? CAPTURE_BYTES);
  const tail = captureTail(TAIL_BYTES);
  const merged = request.output === 'merged';
  for (const { stream, name } of outputs) {
    stream.on('data', (chunk: Uint8Array) => {
      if (name === 'stdout') head.add(chunk);
      if (name === 'stderr' || merged) tail.add(chunk);
      request.onOutput?.(chunk, name);
    });
  }
  const leader = isGroupLeader(request) ? child.pid : undefined;
  if (leader !== undefined) countGroup(leader);
  const watch = watchForStop(request, child.pid, leader !== undefined);
  const { code, killedBy, failure } = await ended;
  watch.cancel();
  await closeWriters(pipes, (fd) => fd > 2);
  await drain([...outputs.map(({ stream }) => stream), ...[...pipes.values()].map(({ reader }) => reader)]);
  if (leader !== undefined) await killGroup(leader);
  if (failure !== undefined) throw await startFailure(request, failure);
  if (request.signal?.aborted && !request.abortIsExit) throw interrupted(request);
  const lastLines = tail.lines(TAIL_LINES);
  return { code, killedBy, timedOut: watch.timedOut(), stdout: head.bytes(), truncated: head.truncated(), lastLines };
}

interface Ended {
  readonly code: number | undefined;
  readonly killedBy: string | undefined;
  readonly failure?: StartFailure;
}

function optionsFor(request: ProcessRequest, pipes: Pipes) {
  const inherits = request.output === 'inherit';
  const out = inherits ? 'inherit' : (pipes.get(1)?.writer.fd ?? 'pipe');
  const err = inherits ? 'inherit' : request.output === 'merged' ? out : (pipes.get(2)?.writer.fd ?? 'pipe');
  const stdin = inherits ? 'inherit' : stdinOf(request.stdin);
  const options = {
    stdio: [stdin, out, err, ...descriptorList(request.descriptors ?? [], pipes)] as NonNullable<Options['stdio']>,
    env: request.env,
    extendEnv: false,
    preferLocal: false,
    reject: false,
    buffer: false,
    stripFinalNewline: false,
    encoding: 'buffer',
    detached: isGroupLeader(request),
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    ...(request.uid === undefined ? {} : { uid: request.uid }),
    ...(request.gid === undefined ? {} : { gid: request.gid }),
  } as const satisfies Options;
  return options;
}

function stdinOf(stdin: ProcessRequest['stdin']) {
  if (stdin === undefined) return 'ignore';
  return typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
}

function descriptorList(descriptors: readonly ExtraDescriptor[], pipes: Pipes) {
  const list: (Uint8Array | AsyncIterable<Uint8Array> | number | 'ignore')[] = [];
  for (const extra of descriptors) {
    while (list.length < extra.fd - 3) list.push('ignore');
    list[extra.fd - 3] = 'give' in extra ? extra.give : pipeOf(pipes, extra.fd).writer.fd;
  }
  return list;
}

/** A group of its own can be killed whole. A program that shares our terminal must share our group too. */
function isGroupLeader(request: ProcessRequest): boolean {
  return request.output !== 'inherit';
}

interface Output {
  readonly stream: Readable;
  readonly name: 'stdout' | 'stderr';
}

function outputsOf(stdio: readonly unknown[], request: ProcessRequest, pipes: Pipes): readonly Output[] {
  if (request.output === 'inherit') return [];
  const names = request.output === 'merged' ? (['stdout'] as const) : (['stdout', 'stderr'] as const);
  return names.flatMap((name, index) => {
    const stream = pipes.get(index + 1)?.reader ?? (stdio[index + 1] as Readable | null | undefined);
    return stream ? [{ stream, name }] : [];
  });
}

async function drain(streams: readonly Readable[]): Promise<void> {
  const enough = new AbortController();
  const all = Promise.allSettled(streams.map((stream) => finished(stream, { writable: false })));
  await Promise.race([all, sleep(DRAIN_MS, undefined, { signal: enough.signal }).catch(() => undefined)]);
  enough.abort();
  for (const stream of streams) stream.destroy();
}

/** Pipes by the descriptor that they are in the program. */
type Pipes = ReadonlyMap<number, Pipe>;

function pipeFds({ output, descriptors = [] }: ProcessRequest): readonly number[] {
  const outputs = output === 'merged' ? [1] : output === 'split' ? [1, 2] : [];
  return [...outputs, ...descriptors.flatMap((extra) => ('take' in extra ? [extra.fd] : []))];
}

async function openPipes(fds: readonly number[], execa: Execa): Promise<Pipes> {
  if (fds.length === 0) return new Map();
  return withTempDir('pack-build-pipe', undefined, async (folder) => {
    const paths = fds.map((fd) => join(folder, String(fd)));
    const made = await execa('mkfifo', ['-m', '600', ...paths], {
      reject: false,
      stdin: 'ignore',
      env: { LC_ALL: 'C' },
    });
    if (made.failed) throw await pipesFailure(folder, made);
    return new Map(await Promise.all(fds.map(async (fd) => [fd, await openPipe(join(folder, String(fd)))] as const)));
  });
}

function pipeOf(pipes: Pipes, fd: number): Pipe {
  const pipe = pipes.get(fd);
  if (pipe === undefined) throw fail('INTERNAL', { what: `there is no pipe for descriptor ${fd}` });
  return pipe;
}

async function closeWriters(pipes: Pipes, chosen: (fd: number) => boolean): Promise<void> {
  await Promise.all([...pipes].filter(([fd]) => chosen(fd)).map(([, { writer }]) => writer.close()));
}

async function closePipe({ reader, writer }: Pipe): Promise<void> {
  reader.destroy();
  await writer.close().catch(() => undefined);
}

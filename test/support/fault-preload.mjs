// Loaded before a command (`node --import`): counts what it changes, step by step, and lets one step go wrong. Nothing of
// this is in the product. FAULT says what: `kill@7`, `abort@7` (a crash of V8), `throw@7` (an error that nobody awaits),
// `ENOSPC@7`, `ENOSPC@7-` (from step 7 on). FAULT_MATCH takes only steps whose line matches. FAULT_TRACE is a file that gets
// a line for each step: `fault STEP` when it goes wrong, `rename FROM TO` when it begins, others such as `sync PATH` when they have succeeded, `report` for
// what goes to stdout, and at last `exit STATUS STEPS`.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';

const [, kind, from, more] = /^(\w+)@(\d+)(-?)$/.exec(process.env.FAULT ?? '') ?? [];
const only = new RegExp(process.env.FAULT_MATCH ?? '');
const trace = process.env.FAULT_TRACE && fs.openSync(process.env.FAULT_TRACE, 'a');
const { writeSync } = fs;
delete process.env.FAULT;

/** Names whose first argument, or first two, is a path. Reading changes nothing and is no step. */
const ONE_PATH = ['mkdir', 'mkdtemp', 'rm', 'rmdir', 'unlink', 'chmod', 'utimes', 'lutimes', 'writeFile', 'truncate'];
const TWO_PATHS = ['rename', 'link', 'symlink', 'copyFile', 'cp'];
const ON_HANDLES = ['write', 'writev', 'writeFile', 'appendFile', 'sync', 'datasync', 'chmod', 'truncate', 'utimes'];

let count = 0;
const paths = new WeakMap();

/** Before a step: undefined, or the error that it is to fail with. */
function before(line) {
  if (!only.test(line)) return undefined;
  count += 1;
  if (count !== Number(from) && !(more && count > Number(from))) return undefined;
  if (kind === 'kill') process.kill(process.pid, 'SIGKILL');
  if (kind === 'abort') process.abort();
  if (kind === 'throw') {
    setImmediate(() => {
      throw new Error('injected');
    });
    return undefined;
  }
  const [call, path] = line.split(' ');
  // A start fails for want of descriptors, not of room.
  if (call === 'spawn' && kind !== 'EMFILE') return undefined;
  note(`fault ${line}`);
  const text = `${kind}: injected, ${call} '${path}'`;
  return Object.assign(new Error(text), { code: kind, errno: -constants.errno[kind], syscall: call, path });
}

function note(line) {
  if (trace) writeSync(trace, `${line}\n`);
}

/** What is renamed counts from when it begins: all that must be done by then is done by then. */
function after(line) {
  if (!line.startsWith('rename ')) note(line);
}

function wrap(object, name, lineOf) {
  const original = object[name];
  if (original === undefined) return;
  object[name] = function wrapped(...args) {
    const line = lineOf.call(this, args);
    if (line === undefined) return original.apply(this, args);
    const isSync = name.endsWith('Sync') || object === childProcess || object === http;
    const callback = typeof args.at(-1) === 'function' ? args.at(-1) : undefined;
    const error = before(line);
    if (!error && line.startsWith('rename ')) note(line);
    if (isSync) {
      if (error) throw error;
      const result = original.apply(this, args);
      after(line);
      return result;
    }
    if (callback) {
      if (error) return void process.nextTick(callback, error);
      const told = (...results) => {
        if (!results[0]) after(line);
        callback(...results);
      };
      return original.apply(this, [...args.slice(0, -1), told]);
    }
    return error
      ? Promise.reject(error)
      : original.apply(this, args).then((result) => {
          if (name === 'open') paths.set(result, args[0]);
          after(line);
          return result;
        });
  };
}

const isWriting = (flags) => (typeof flags === 'number' ? (flags & 3) !== 0 : /[wa+x]/.test(flags ?? 'r'));
const lineOfOpen = ([path, flags]) => (isWriting(flags) ? `open ${path}` : undefined);

for (const suffix of ['', 'Sync']) {
  for (const name of ONE_PATH) wrap(fs, `${name}${suffix}`, ([path]) => `${name} ${path}`);
  for (const name of TWO_PATHS) wrap(fs, `${name}${suffix}`, ([one, other]) => `${name} ${one} ${other}`);
  wrap(fs, `open${suffix}`, lineOfOpen);
}
const handle = await fs.promises.open('/dev/null', 'r');
const prototype = Object.getPrototypeOf(handle);
await handle.close();
for (const name of ON_HANDLES)
  wrap(prototype, name, function line() {
    const path = paths.get(this);
    return path === undefined ? undefined : `${name} ${path}`;
  });
for (const name of ONE_PATH) wrap(fs.promises, name, ([path]) => `${name} ${path}`);
for (const name of TWO_PATHS) wrap(fs.promises, name, ([one, other]) => `${name} ${one} ${other}`);
// The path of a handle for reading must be known too: a directory is opened so to be synced.
const { open } = fs.promises;
fs.promises.open = async (path, ...rest) => {
  const opened = await open(path, ...rest);
  paths.set(opened, path);
  return opened;
};
wrap(fs.promises, 'open', lineOfOpen);
wrap(childProcess, 'spawn', ([file]) => `spawn ${file}`);
wrap(http, 'request', ([url, options]) => `request ${options?.method ?? url?.method ?? 'GET'} ${url?.path ?? url}`);
syncBuiltinESMExports();
const { write } = process.stdout;
process.stdout.write = function reported(...args) {
  note('report');
  return write.apply(this, args);
};
process.once('exit', (status) => note(`exit ${status} ${count}`));

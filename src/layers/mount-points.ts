import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { inside } from './inside.js';
import { directoryTaken, OWN_DIRECTORIES } from './own-directories.js';

/** Directories on which a sandbox mounts something, and the mode of those that have to be made. */
const DIRECTORIES: readonly (readonly [string, number])[] = [
  ['app', 0o755],
  ['dev', 0o755],
  ['pack-build', 0o755],
  ['proc', 0o555],
  ['tmp', 0o1777],
];

/** Files on which a sandbox mounts the host's. */
const FILES: readonly string[] = ['etc/hosts', 'etc/resolv.conf', 'etc/ssl/certs/ca-certificates.crt'];

/**
 * Prepares an unpacked base to be a sandbox's root: whatever is mounted on is a true directory or file, and the user and
 * group 1000 have names (R43). The base itself stays as it is: this is a copy. Throws `BASE_APP_DIRECTORY` for a base that
 * has something at `/app` or `/pack-build`.
 */
export function prepareMountPoints(root: string): void {
  chmodSync(root, 0o755); // a root without the right to write cannot be renamed, except by root
  for (const own of OWN_DIRECTORIES) checkFree(root, own);
  for (const [path, mode] of DIRECTORIES) makeDirectory(`${root}/${path}`, mode);
  for (const path of FILES) makeFile(root, path);
  addName(root, 'etc/passwd', (name) => `${name}:x:1000:1000::/app:/bin/bash`);
  addName(root, 'etc/group', (name) => `${name}:x:1000:`);
}

function checkFree(root: string, path: string): void {
  const stat = lstatSync(`${root}/${path}`, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isDirectory() && readdirSync(`${root}/${path}`).length === 0)) return;
  throw directoryTaken(path, stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file');
}

function makeDirectory(file: string, mode: number): void {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  if (stat !== undefined) rmSync(file);
  mkdirSync(file);
  chmodSync(file, mode);
}

function makeFile(root: string, path: string): void {
  const file = fileIn(root, path);
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat?.isFile()) return;
  if (stat !== undefined) rmSync(file, { recursive: true });
  writeFileSync(file, '', { flag: 'wx' });
  chmodSync(file, 0o644);
}

/** Adds a line for the id 1000 unless there is one. A name that another id has is not taken. */
function addName(root: string, path: string, line: (name: string) => string): void {
  const file = fileIn(root, path);
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) makeFile(root, path);
  const text = readFileSync(file, 'utf8');
  const rows = text.split('\n').map((row) => row.split(':'));
  if (rows.some((row) => row[2] === '1000')) return;
  const name = ['app', 'app-user', 'uid-1000'].find((free) => !rows.some((row) => row[0] === free)) ?? 'pack-build';
  chmodSync(file, 0o644);
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line(name)}\n`);
}

/** Directories on the way are made, or made writable for us; links among them are followed inside the root. */
function fileIn(root: string, path: string): string {
  const names = path.split('/');
  const paths = inside(root);
  let directory = root;
  for (let depth = 1; depth < names.length; depth += 1) {
    directory = paths.directory(names.slice(0, depth).join('/'), (made) => chmodSync(made, 0o755)) ?? root;
    chmodSync(directory, (lstatSync(directory).mode & 0o1777) | 0o700);
  }
  return `${directory}/${names.at(-1)}`;
}

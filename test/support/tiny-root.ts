import { execFile } from 'node:child_process';
import { access, chmod, constants, copyFile, cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Mount } from '../../src/sandbox/sandbox.js';

/** Mounted over a tiny root, it gives the process every program of this machine (node, python, ...). */
export const HOST_USR: Mount = { from: '/usr', to: '/usr', writable: false };

/**
 * Makes a root filesystem with bash, the coreutils and a few more in `dir` (about 15 MB, copied from this machine), with
 * the mount points that an unpacked base has. Returns `dir`.
 */
export async function makeTinyRoot(dir: string): Promise<string> {
  await makeDirectories(dir);
  const programs = (await Promise.all(PROGRAMS.map(locate))).filter((path) => path !== undefined);
  const libraries = await librariesOf(programs);
  await Promise.all([...programs, ...libraries].map((path) => copyInto(dir, path)));
  // The locale of builds (R18). Where the C library has it built in, there are no files.
  await cp('/usr/lib/locale/C.utf8', join(dir, 'usr/lib/locale/C.utf8'), { recursive: true }).catch(() => undefined);
  await symlink('bash', join(dir, 'usr/bin/sh')).catch(() => undefined);
  await writeFile(join(dir, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\nheroku:x:1000:1000::/app:/bin/bash\n');
  await writeFile(join(dir, 'etc/group'), 'root:x:0:\nheroku:x:1000:\n');
  await writeFile(join(dir, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
  for (const point of ['etc/resolv.conf', 'etc/hosts', 'etc/ssl/certs/ca-certificates.crt'])
    await writeFile(join(dir, point), '');
  return dir;
}

const PROGRAMS = [
  ...[
    'bash',
    'cat',
    'chmod',
    'cp',
    'cut',
    'date',
    'dirname',
    'basename',
    'echo',
    'env',
    'false',
    'find',
    'grep',
    'head',
    'hostname',
  ],
  ...[
    'id',
    'ln',
    'ls',
    'mkdir',
    'mkfifo',
    'mknod',
    'mktemp',
    'mount',
    'mv',
    'nproc',
    'printenv',
    'ps',
    'pwd',
    'readlink',
    'realpath',
  ],
  ...[
    'rm',
    'rmdir',
    'sed',
    'seq',
    'setsid',
    'sha256sum',
    'sleep',
    'sort',
    'stat',
    'tail',
    'tar',
    'tee',
    'test',
    'touch',
    'tr',
  ],
  ...['true', 'tty', 'uname', 'unshare', 'wc', 'whoami', 'xargs'],
];

async function makeDirectories(dir: string): Promise<void> {
  const folders = [
    'usr/bin',
    'usr/lib',
    'usr/lib64',
    'usr/sbin',
    'app',
    'tmp',
    'proc',
    'dev',
    'sys',
    'run',
    'root',
    'home',
    'var/tmp',
  ];
  for (const folder of [...folders, 'etc/ssl/certs', 'buildpack']) await mkdir(join(dir, folder), { recursive: true });
  await chmod(join(dir, 'tmp'), 0o1777);
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) await symlink(`usr/${name}`, join(dir, name));
}

async function locate(program: string): Promise<string | undefined> {
  for (const folder of ['/usr/bin', '/bin']) {
    const path = join(folder, program);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

async function librariesOf(programs: readonly string[]): Promise<ReadonlySet<string>> {
  const { stdout } = await promisify(execFile)('ldd', [...programs]);
  return new Set([...stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(/gm)].map(([, path]) => path as string));
}

/** Copies to the same name below `dir`, under its `usr` where the machine has merged directories. */
async function copyInto(dir: string, path: string): Promise<void> {
  const name = /^\/(bin|lib|lib64|sbin)\//.test(path) ? `usr${path}` : path;
  await mkdir(dirname(join(dir, name)), { recursive: true });
  await copyFile(await realpath(path), join(dir, name), constants.COPYFILE_FICLONE);
}

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A podman with images and containers of its own. */
export interface Podman {
  /** Takes an image from a place (`oci-archive:FILE`). Returns its id. */
  readonly pull: (place: string) => Promise<string>;
  /** Starts an image on the host's network. */
  readonly start: (image: string, env: Readonly<Record<string, string>>) => Started;
  readonly remove: () => Promise<void>;
}

export interface Started {
  /** Hands signals on to the container. */
  readonly child: ChildProcess;
  /** What the container ends with; podman run itself does not always learn it, when both end at once. */
  readonly status: () => Promise<number>;
}

/** Nothing of podman's own settings or of this machine's images is used. */
export async function podman(): Promise<Podman> {
  const home = await mkdtemp(join(tmpdir(), 'pack-build-podman-'));
  const own = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--tmpdir', join(home, 'tmp')];
  const drivers = ['--storage-driver', 'overlay', '--events-backend', 'none', '--cgroup-manager', 'cgroupfs'];
  const global = [...own, ...drivers, '--runtime', 'runc'];
  // As many files as podman asks for by itself, not every machine gives.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096'];
  const run = (...args: readonly string[]) => promisify(execFile)('podman', [...global, ...args]);
  let started = 0;
  return {
    pull: async (place) => (await run('pull', '--quiet', place)).stdout.trim(),
    start: (image, env) => {
      const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
      const name = `started-${++started}`;
      const args = ['run', '--name', name, '--network', 'host', ...limits, ...variables, image];
      const child = spawn('podman', [...global, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      return { child, status: async () => Number((await run('wait', name)).stdout) };
    },
    remove: async () => {
      await run('rm', '--all', '--force').catch(() => undefined);
      await run('rmi', '--all', '--force').catch(() => undefined);
      await rm(home, { recursive: true, force: true });
    },
  };
}

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const BUILDPACKS = resolve('buildpacks');

export type Files = Readonly<Record<string, string>>;

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls `use` with a new directory that holds `files`, and removes it afterwards; files under bin/ are executable. */
export function withDirectory<T>(files: Files, use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'buildpacks-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = join(directory, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      if (name.includes('bin/')) chmodSync(file, 0o755);
    }
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs a command in a clean environment, as the platform does. */
export function run(command: readonly string[], options: { cwd?: string; env?: Files; input?: string } = {}): Outcome {
  const [file = '', ...args] = command;
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', STACK: 'heroku-24', ...options.env };
  const { status, stdout, stderr } = spawnSync(file, args, { ...options, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

export function detect(buildpack: string, app: Files): Outcome {
  return withDirectory(app, (directory) => script(buildpack, 'detect', [directory]));
}

export function release(buildpack: string, app: Files): Outcome {
  return withDirectory(app, (directory) => script(buildpack, 'release', [directory]));
}

/** Runs bin/compile with `config` as config vars; for builds that stop before anything is installed. */
export function compile(buildpack: string, app: Files, config: Files = {}, env: Files = {}): Outcome {
  return withDirectory(app, (buildDir) =>
    withDirectory(config, (envDir) =>
      withDirectory({}, (cacheDir) => script(buildpack, 'compile', [buildDir, cacheDir, envDir], env)),
    ),
  );
}

function script(buildpack: string, name: string, args: readonly string[], env: Files = {}): Outcome {
  const cwd = join(BUILDPACKS, buildpack);
  return run([join(cwd, 'bin', name), ...args], { cwd, env });
}

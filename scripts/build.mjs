// Compiles src/ to dist/: types by the compiler; the code by a bundler, as Node takes long to find many small files.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const tsc = join(dirname(installed('typescript/package.json')), 'bin/tsc');
const { build } = await import(installed('esbuild'));

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
await build({
  absWorkingDir: root,
  // The library, the command, and what the project's own scripts ask.
  entryPoints: ['src/index.ts', 'src/cli/main.ts', 'src/base/recipe.ts', 'src/base/suites.ts'],
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  // What is loaded late stays in files of its own.
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
});
cpSync(join(root, 'src/launcher/launcher.sh'), join(dist, 'launcher/launcher.sh'));
cpSync(join(root, 'src/network/helper.js'), join(dist, 'network/helper.js'));
chmodSync(join(dist, 'cli/main.js'), 0o755);
mkdirSync(join(dist, 'cli/help'));
keepHelp([]);

/** Keeps what a command prints for `--help`, so that nobody waits for the parser to make it; and so for its commands. */
function keepHelp(words) {
  const text = execFileSync(process.execPath, [join(dist, 'cli/main.js'), ...words, '--help'], { encoding: 'utf8' });
  writeFileSync(join(dist, 'cli/help', `${['pack-build', ...words].join(' ')}.txt`), text);
  const [, commands = ''] = text.split('\nCommands:\n');
  for (const [, name] of commands.matchAll(/^ {2}(\w+)/gm)) keepHelp([...words, name]);
}

function installed(name) {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    console.error('the compiler is not installed; install it first: npm install --no-save');
    process.exit(1);
  }
}

// Compiles src/ to dist/: types by the compiler; the code by a bundler, as Node takes long to find many small files.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const tsc = join(dirname(installed('typescript/package.json')), 'bin/tsc');
const { build } = await import(installed('esbuild'));

// Packages stay packages, but for what `src` uses of the devDependencies: every request waits for node-fetch, and Node takes
// longer to find its twenty small files than to run them.
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  // The library, the command, and what the project's own scripts ask.
  entryPoints: ['src/index.ts', 'src/cli/main.ts', 'src/base/recipe.ts', 'src/base/suites.ts'],
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  // What is loaded late stays in files of its own.
  splitting: true,
  external: Object.keys(dependencies),
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
});
keepLicences(Object.keys(metafile.inputs));
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

/** Keeps the licences of the packages whose files are in the bundle. */
function keepLicences(inputs) {
  const of = inputs.map((file) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const texts = [...new Set(of)]
    .filter(Boolean)
    .sort()
    .map((name) => {
      const directory = join(root, 'node_modules', name);
      const files = readdirSync(directory);
      const file = files.find((entry) => /^licen[cs]e/i.test(entry)) ?? files.find((entry) => /^readme/i.test(entry));
      const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
      const text = readFileSync(join(directory, file), 'utf8');
      // Some have it at the end of the README.
      const licence = text.slice(Math.max(0, text.search(/^licen[cs]e$/im))).trim();
      if (!/permission is hereby granted|apache license/i.test(licence)) throw new Error(`${name}: no known licence`);
      return `${name} ${version}\n\n${licence}\n`;
    });
  writeFileSync(join(dist, 'LICENCES-OF-OTHERS.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

function installed(name) {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    console.error('the compiler is not installed; install it first: npm install --no-save');
    process.exit(1);
  }
}

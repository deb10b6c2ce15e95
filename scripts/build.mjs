// Compiles src/ to dist/ and puts beside it what the compiler does not copy.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const tsc = compiler();
rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
copyFileSync(join(root, 'src/launcher/launcher.sh'), join(root, 'dist/launcher/launcher.sh'));
chmodSync(join(root, 'dist/cli/main.js'), 0o755);

function compiler() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  } catch {
    console.error('the compiler is not installed; install it first: npm install --no-save');
    process.exit(1);
  }
}

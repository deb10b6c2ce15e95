import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PACKAGES = [
  'next@15.5.4',
  'typescript@5.9.3',
  'lodash@4.17.21',
  'date-fns@4.1.0',
  'core-js@3.45.1',
  'aws-sdk@2.1692.0',
  'rxjs@7.8.2',
  'express@5.1.0',
];

/** An app of some 500 MB and 25,000 files: packages of npm's registry, and Node's own program. Made once, not to be written to. */
export function sampleTree(): string {
  const tree = resolve('.pack-build/bench-tree');
  if (existsSync(tree)) return tree;
  const staged = `${tree}.new`;
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(join(staged, '.heroku/node/bin'), { recursive: true });
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', '--prefix', staged, ...quiet, ...PACKAGES]);
  cpSync(process.execPath, join(staged, '.heroku/node/bin/node'));
  execFileSync('mv', [staged, tree]);
  return tree;
}

// Builds an app of many files anew: with nothing changed, a line, a dependency. Prints a table. main.js [TREE] [ROUNDS]
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDockerRegistry } from '../../test/support/docker-registry.js';
import { tinyBase } from '../../test/support/tiny-base.js';
import { measure, median, table } from '../support/measure.js';
import { type ProxyProcess, startProxy } from '../support/proxy.js';
import { sampleTree } from '../support/sample-tree.js';

const TREE = resolve(process.argv[2] ?? sampleTree());
const ROUNDS = Number(process.argv[3] ?? 3);
const CLI = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));
const STEPS = ['source', 'snapshot', 'layers', 'write'] as const;
const work = mkdtempSync(join(tmpdir(), 'pack-build-bench-rebuild-'));
const at = (name: string) => join(work, name);

interface Build {
  /** Of each step, and of the whole command. */
  readonly ms: Readonly<Record<(typeof STEPS)[number] | 'total', number>>;
  /** To the layout, and to the registry. */
  readonly written: number;
  readonly pushed: number;
}

const changes: Readonly<Record<string, () => void>> = {
  'first build': () => undefined,
  'nothing changed': () => undefined,
  "a line of the app's own changed": () => appendFileSync(at('app/server.js'), '// a line\n'),
  'a file of a dependency changed': () => appendFileSync(at('app/node_modules/lodash/lodash.js'), '// a line\n'),
};

/** A buildpack that does nothing. */
function prepare(): void {
  rmSync(at('buildpack'), { recursive: true, force: true });
  mkdirSync(at('buildpack/bin'), { recursive: true });
  for (const [name, line] of Object.entries({ detect: 'echo nothing', compile: ':', release: ':' })) {
    writeFileSync(at(`buildpack/bin/${name}`), `#!/bin/sh\n${line}\n`);
    chmodSync(at(`buildpack/bin/${name}`), 0o755);
  }
  for (const name of ['app', 'cache', 'layout']) rmSync(at(name), { recursive: true, force: true });
  execFileSync('cp', ['-a', `${TREE}/.`, at('app')]);
  writeFileSync(at('app/Procfile'), 'web: node server.js\n');
  writeFileSync(at('app/server.js'), '// the app\n');
}

async function build(base: string, proxy: ProxyProcess, repository: string): Promise<Build> {
  const before = filesIn(at('layout'));
  await proxy.take();
  const to = ['--to', `oci:${at('layout')}:app`, '--to', `docker://${proxy.host}/${repository}:1`];
  const own = ['--cache-dir', at('cache'), '--insecure-registry', proxy.host, '--json', '--timings'];
  const args = [CLI, 'build', at('app'), '--buildpack', at('buildpack'), '--base', base, ...to, ...own];
  const { stderr } = await measure(process.execPath, args, { TMPDIR: work });
  const msOf = (name: string) => 1000 * Number(new RegExp(`^${name}.*?([\\d.]+) s$`, 'm').exec(stderr)?.[1]);
  const written = [...filesIn(at('layout'))].filter(([name, stamp]) => before.get(name)?.stamp !== stamp.stamp);
  return {
    ms: {
      source: msOf('source'),
      snapshot: msOf('snapshot'),
      layers: msOf('layers'),
      write: msOf('write oci:'),
      total: msOf('total'),
    },
    written: written.reduce((sum, [, { size }]) => sum + size, 0),
    pushed: (await proxy.take()).bytesIn,
  };
}

/** The files of a directory, with what they were. */
function filesIn(directory: string): ReadonlyMap<string, { readonly size: number; readonly stamp: string }> {
  const files = new Map<string, { readonly size: number; readonly stamp: string }>();
  const pending = [directory];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) for (const name of readdirSync(path)) pending.push(join(path, name));
    else if (stat !== undefined) files.set(path, { size: stat.size, stamp: `${stat.ino}:${stat.mtimeMs}` });
  }
  return files;
}

const registry = await startDockerRegistry();
const builds = new Map<string, Build[]>(Object.keys(changes).map((name) => [name, []]));
try {
  const base = (await tinyBase()).place('run');
  const proxy = await startProxy(registry.host, 0);
  for (let round = 0; round < ROUNDS; round += 1) {
    prepare();
    for (const [name, change] of Object.entries(changes)) {
      change();
      builds.get(name)?.push(await build(base, proxy, `rebuild/${round}`));
    }
  }
  proxy.close();
} finally {
  rmSync(work, { recursive: true, force: true });
  await registry.close();
}

const typical = (name: string, of: (build: Build) => number) => median((builds.get(name) ?? []).map(of));
const packing = ({ ms }: Build) => ms.snapshot + ms.layers + ms.write;
const seconds = (ms: number) => (ms / 1000).toFixed(2);
const rows = [...builds.keys()].map((name) => [
  name,
  ...STEPS.map((step) => seconds(typical(name, ({ ms }) => ms[step]))),
  seconds(typical(name, packing)),
  `${((100 * typical(name, packing)) / typical('first build', packing)).toFixed(1)} %`,
  seconds(typical(name, ({ ms }) => ms.total)),
  (typical(name, ({ written }) => written) / 1000).toFixed(1),
  (typical(name, ({ pushed }) => pushed) / 1000).toFixed(1),
]);
const head = ['', ...STEPS, 'the last three', 'of the first', 'all', 'KB written', 'KB pushed'];
console.log(`Node ${process.version}, ${ROUNDS} rounds, medians, seconds\n`);
console.log(table(head, rows));

// Unpacks one layer, with other tools and with pack-build, in turns. Prints two tables. main.js [TREE] [ROUNDS]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, median, table } from '../support/measure.js';
import { sampleTree } from '../support/sample-tree.js';

const TREE = resolve(process.argv[2] ?? sampleTree());
const ROUNDS = Number(process.argv[3] ?? 3);
const work = mkdtempSync(join(tmpdir(), 'pack-build-bench-unpack-'));
const at = (name: string) => join(work, name);
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

try {
  const { layer, diffId } = makeImage();
  const blob = at(`image/blobs/sha256/${layer.digest.slice(7)}`);
  const described = [layer.mediaType, layer.digest, String(layer.size), diffId];
  const ours = [process.execPath, script('ours.js'), at('image/blobs'), ...described, at('out')];
  const ways: Readonly<Record<string, readonly string[]>> = {
    'tar -x (not compressed)': ['tar', '-C', at('out'), '-xf', at('t.tar')],
    'tar -xz': ['tar', '-C', at('out'), '-xzf', blob],
    'umoci unpack': ['umoci', 'unpack', '--rootless', '--image', `${at('image')}:x`, at('out/bundle')],
    'pack-build': ours,
    'pack-build, and a list of the files': [...ours, at('lists')],
  };
  const costs = new Map<string, { readonly ms: number[]; readonly peak: number[] }>();
  const gates = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, [file = '', ...args]] of Object.entries(ways)) {
      for (const left of ['out', 'lists']) rmSync(at(left), { recursive: true, force: true });
      mkdirSync(at('out'));
      const cost = await measure(file, args, { HOME: work });
      const known = costs.get(name) ?? { ms: [], peak: [] };
      costs.set(name, { ms: [...known.ms, cost.ms], peak: [...known.peak, cost.peakMb] });
    }
    rmSync(at('out'), { recursive: true });
    for (const profile of ['layer', 'tree']) {
      const { stdout } = await measure(process.execPath, [script('gate.js'), at('t.tar'), profile]);
      const { size, ms } = JSON.parse(stdout) as { size: number; ms: number };
      gates.set(profile, [...(gates.get(profile) ?? []), size / 1000 / ms]);
    }
  }
  const unit = median(costs.get('tar -xz')?.ms ?? []);
  const rows = [...costs].map(([name, { ms, peak }]) => [
    name,
    (median(ms) / 1000).toFixed(2),
    (median(ms) / unit).toFixed(2),
    name.startsWith('pack-build') ? Math.max(...peak).toFixed(0) : '',
  ]);
  console.log(`Node ${process.version}, ${ROUNDS} rounds, medians\n`);
  console.log(table(['', 's', 'times `tar -xz`', 'peak MB'], rows));
  const speeds = [...gates].map(([profile, speed]) => [profile, median(speed).toFixed(0)]);
  console.log(`\n${table(['the strict reader alone, profile', 'MB/s'], speeds)}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** An image of one layer with the tree, and the same tar by itself. */
function makeImage(): { readonly layer: Described; readonly diffId: string } {
  const run = (file: string, ...args: readonly string[]) =>
    execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  run('tar', '-C', TREE, '-cf', at('t.tar'), '.');
  run('umoci', 'init', '--layout', at('image'));
  run('umoci', 'new', '--image', `${at('image')}:x`);
  run('umoci', 'raw', 'add-layer', '--image', `${at('image')}:x`, at('t.tar'));
  const read = (digest: string) => JSON.parse(readFileSync(at(`image/blobs/sha256/${digest.slice(7)}`), 'utf8'));
  const index = JSON.parse(readFileSync(at('image/index.json'), 'utf8')) as { manifests: Described[] };
  const manifest = read(index.manifests[0]?.digest ?? '') as { config: Described; layers: Described[] };
  const { rootfs } = read(manifest.config.digest) as { rootfs: { diff_ids: string[] } };
  return { layer: manifest.layers[0] as Described, diffId: rootfs.diff_ids[0] ?? '' };
}

// Checks an image against a policy, beside the packing of it. Prints a table. main.js [TREE] [ROUNDS]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cost, measure, median, table } from '../support/measure.js';
import { sampleTree } from '../support/sample-tree.js';

const TREE = resolve(process.argv[2] ?? sampleTree());
const ROUNDS = Number(process.argv[3] ?? 3);
const CLI = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));
const PACK = fileURLToPath(new URL('pack.js', import.meta.url));

/** Every field that asks something of each entry. */
const POLICY = {
  maxPathBytes: 4096,
  maxDepth: 256,
  maxFiles: 10_000_000,
  maxCompressionRatio: 1032,
  setuid: 'forbid',
  fileCapabilities: 'forbid',
  devices: 'forbid',
  worldWritable: 'forbid',
  whiteouts: { within: ['/app'] },
  writablePrefixes: ['/app'],
};

const work = mkdtempSync(join(tmpdir(), 'pack-build-bench-check-'));
const at = (name: string) => join(work, name);
const costs = new Map<string, Cost[]>();
const kept: number[] = [];
let told = '';

async function take(name: string, args: readonly string[]): Promise<Cost> {
  const cost = await measure(process.execPath, args);
  costs.set(name, [...(costs.get(name) ?? []), cost]);
  return cost;
}

try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of ['layout', 'cache', 'other']) rmSync(at(name), { recursive: true, force: true });
    writeFileSync(at('policy.json'), JSON.stringify(POLICY));
    const check = [CLI, 'check', `oci:${at('layout')}:app`, '--policy', at('policy.json'), '--cache-dir'];
    const packed = await take('packing, and writing to a layout', [PACK, TREE, at('layout'), at('cache')]);
    const { keepMs, entries, tar } = JSON.parse(packed.stdout) as { keepMs: number; entries: number; tar: number };
    kept.push(keepMs);
    told = `${entries} entries, ${(tar / 1e6).toFixed(0)} MB as a tar`;
    await take('`check`, an image that was packed here', [...check, at('cache')]);
    await take("`check`, somebody else's image, the first time", [...check, at('other')]);
    await take("`check`, somebody else's image, from then on", [...check, at('other')]);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

const ms = (name: string) => median((costs.get(name) ?? []).map((cost) => cost.ms));
const unit = ms('packing, and writing to a layout');
const rows = [...costs].map(([name, all]) => [
  name,
  ms(name).toFixed(0),
  `${((100 * ms(name)) / unit).toFixed(1)} %`,
  `${Math.max(...all.map(({ peakMb }) => peakMb)).toFixed(0)} MB`,
]);
console.log(`Node ${process.version}, ${ROUNDS} rounds, medians; ${told}\n`);
console.log(table(['', 'ms', 'of packing', 'peak memory'], rows));
console.log(`\nOf packing, to keep what the layer holds: ${median(kept).toFixed(0)} ms`);

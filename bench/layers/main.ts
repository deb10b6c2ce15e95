// Packs one tree into a layer, with other tools and with pack-build, in turns. Prints a table. main.js [TREE] [ROUNDS]
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cost, measure, median, table } from '../support/measure.js';
import { sampleTree } from '../support/sample-tree.js';

const TREE = resolve(process.argv[2] ?? sampleTree());
const ROUNDS = Number(process.argv[3] ?? 3);
const CRANE = process.env['CRANE'] ?? 'crane';
const OURS = fileURLToPath(new URL('ours.js', import.meta.url));
const FLOOR = fileURLToPath(new URL('floor.js', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'pack-build-bench-layers-'));
const at = (name: string) => join(work, name);
const shell = (script: string) => ['bash', '-c', `set -eo pipefail; cd "${work}"; ${script}`];
const ours = (kind: string) => [process.execPath, OURS, TREE, kind, at('blobs')];
const floor = (kind: string) => [process.execPath, FLOOR, TREE, kind];
const tar = `tar -C "${TREE}" -cf`;
const storage = `--root "${at('root')}" --runroot "${at('run')}" --storage-driver vfs`;

interface Way {
  readonly command: readonly string[];
  /** Gives the bytes of the layer that was made. */
  readonly size: (cost: Cost) => number;
}

const told = ({ stdout }: Cost) => (JSON.parse(stdout) as { size: number }).size;
const ofFile = (name: string) => () => statSync(at(name)).size;
const largestIn = (name: string) => () =>
  Math.max(...readdirSync(at(name)).map((file) => statSync(join(at(name), file)).size));

const ways: Readonly<Record<string, Way>> = {
  'umoci insert': {
    command: shell(
      `umoci init --layout u && umoci new --image u:x && umoci insert --rootless --image u:x "${TREE}" /app`,
    ),
    size: largestIn('u/blobs/sha256'),
  },
  'tar, crane append': {
    command: shell(
      `${tar} t.tar . && "${CRANE}" append --oci-empty-base -f t.tar -t bench.local/app:latest -o c.tar 2> log && mkdir c && tar -C c -xf c.tar`,
    ),
    size: largestIn('c'),
  },
  'buildah add, commit (not compressed)': {
    command: shell(
      `buildah ${storage} from --name x scratch && buildah ${storage} add x "${TREE}" /app && buildah ${storage} commit --quiet x oci:b`,
    ),
    size: largestIn('b/blobs/sha256'),
  },
  'tar, pigz -6': { command: shell(`${tar} - . | pigz -6 > p.gz`), size: ofFile('p.gz') },
  'tar, zstd -T2 -3': { command: shell(`${tar} - . | zstd -q -T2 -3 > z.zst`), size: ofFile('z.zst') },
  'pack-build, gzip': { command: ours('gzip'), size: told },
  'pack-build, gzip:6': { command: ours('gzip:6'), size: told },
  'pack-build, gzip:1': { command: ours('gzip:1'), size: told },
  'pack-build, zstd': { command: ours('zstd'), size: told },
  'pack-build, none': { command: ours('none'), size: told },
  'the floor, gzip': { command: floor('gzip'), size: told },
  'the floor, zstd': { command: floor('zstd'), size: told },
};

const costs = new Map<string, { readonly ms: number[]; readonly peak: number[]; size: number }>();
try {
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, { command, size }] of Object.entries(ways)) {
      for (const left of readdirSync(work)) rmSync(join(work, left), { recursive: true });
      const [file = '', ...args] = command;
      const cost = await measure(file, args);
      const known = costs.get(name) ?? { ms: [], peak: [], size: 0 };
      costs.set(name, { ms: [...known.ms, cost.ms], peak: [...known.peak, cost.peakMb], size: size(cost) });
    }
} finally {
  rmSync(work, { recursive: true, force: true });
}

const unit = median(costs.get('umoci insert')?.ms ?? []);
const rows = [...costs].map(([name, { ms, peak, size }]) => [
  name,
  (median(ms) / 1000).toFixed(2),
  (median(ms) / unit).toFixed(2),
  (size / 1e6).toFixed(1),
  name.startsWith('pack-build') ? Math.max(...peak).toFixed(0) : '',
]);
console.log(`Node ${process.version}, ${ROUNDS} rounds, medians\n`);
console.log(table(['', 's', 'times umoci', 'MB of the layer', 'peak MB'], rows));

// Moves N images of a local registry to a patched base, with crane and with pack-build, side by side. Prints tables.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Traffic } from '../../test/support/counting-proxy.js';
import { startDockerRegistry } from '../../test/support/docker-registry.js';
import { type Fleet, makeFleet } from '../../test/support/fleet.js';
import { type Cost, measure, median, table } from '../support/measure.js';
import { type ProxyProcess, startProxy } from '../support/proxy.js';
import type { LibraryTask } from './library.js';

const N = Number(process.argv[2] ?? 100);
const ROUNDS = Number(process.argv[3] ?? 3);
const AT_ONCE = 16;
const CRANE = process.env['CRANE'] ?? 'crane';
const CLI = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));
const LIBRARY = fileURLToPath(new URL('library.js', import.meta.url));

interface World {
  readonly proxy: ProxyProcess;
  readonly fleet: Fleet;
  readonly cacheDir: string;
}

/** Moves all images, and tells what each of the processes took. */
type Mover = (images: readonly string[], world: World) => Promise<readonly Cost[]>;

const eachBy =
  (argsFor: (image: string, world: World) => readonly string[]): Mover =>
  async (images, world) => {
    const costs: Cost[] = [];
    for (const image of images) {
      const [file = '', ...args] = argsFor(image, world);
      costs.push(await measure(file, args));
    }
    return costs;
  };

const library =
  (width: number): Mover =>
  async (images, { proxy: { host }, fleet, cacheDir }) => {
    const task: LibraryTask = { host, images, base: fleet.bases(host).next, cacheDir, width };
    return [await measure(process.execPath, [LIBRARY, JSON.stringify(task)])];
  };

const movers: Readonly<Record<string, Mover>> = {
  '`crane rebase`, one call for each image': eachBy((image, { proxy, fleet }) => {
    const { old, next } = fleet.bases(proxy.host);
    return [CRANE, 'rebase', '--old_base', old, '--new_base', next, image];
  }),
  '`pack-build rebase`, one call for each image': eachBy((image, { proxy, fleet, cacheDir }) => {
    const own = ['--insecure-registry', proxy.host, '--cache-dir', cacheDir, '--platform', 'linux/amd64'];
    return [process.execPath, CLI, 'rebase', image, '--base', fleet.bases(proxy.host).next, '--quiet', ...own];
  }),
  'the library, one image after the other': library(1),
  [`the library, ${AT_ONCE} images at once`]: library(AT_ONCE),
};

interface Row {
  readonly msPerImage: number;
  readonly peakMb: number;
  readonly traffic: Traffic;
}

let made = 0;

/** Puts so many apps on the old base, each in a repository of its own that nobody has seen, and moves them. */
async function moved(mover: Mover, many: number, world: World): Promise<Row> {
  const names = Array.from({ length: many }, (_, at) => `fleet/app-${made + at}`);
  made += many;
  for (const name of names) await world.fleet.deploy(name);
  await world.proxy.take();
  const from = performance.now();
  const costs = await mover(
    names.map((name) => `${world.proxy.host}/${name}:1`),
    world,
  );
  const msPerImage = (performance.now() - from) / many;
  return { msPerImage, peakMb: Math.max(...costs.map(({ peakMb }) => peakMb)), traffic: await world.proxy.take() };
}

async function compare(world: World): Promise<string> {
  const rounds: Record<string, Row[]> = Object.fromEntries(Object.keys(movers).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, mover] of Object.entries(movers)) rounds[name]?.push(await moved(mover, N, world));
  const [first = 0] = Object.values(rounds).map((rows) => median(rows.map(({ msPerImage }) => msPerImage)));
  return table(
    [
      '',
      'ms for each image',
      'times as fast',
      'requests for each image',
      'KB sent, received',
      'of layers',
      'peak memory',
    ],
    Object.entries(rounds).map(([name, rows]) => {
      const ms = median(rows.map(({ msPerImage }) => msPerImage));
      const { traffic } = rows[0] as Row;
      const perImage = (bytes: number) => (bytes / N / 1000).toFixed(1);
      return [
        name,
        ms.toFixed(0),
        (first / ms).toFixed(1),
        requestsOf(traffic),
        `${perImage(traffic.bytesIn)}, ${perImage(traffic.bytesOut)}`,
        String(traffic.layerBytes),
        `${Math.max(...rows.map(({ peakMb }) => peakMb)).toFixed(0)} MB`,
      ];
    }),
  );
}

function requestsOf({ requests }: Traffic): string {
  const each = (count: number) => String(Math.round((count / N) * 100) / 100);
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(requests).map(([kind, count]) => `${each(count)} ${kind}`);
  return `${each(total)}: ${kinds.join(', ')}`;
}

async function flatness(world: World): Promise<string> {
  const sizes = [N, 2 * N, 4 * N];
  const rows: string[][] = [];
  for (const many of sizes) {
    const { peakMb, msPerImage } = await moved(library(AT_ONCE), many, world);
    rows.push([String(many), `${peakMb.toFixed(0)} MB`, msPerImage.toFixed(0)]);
  }
  return table(['images', 'peak memory', 'ms for each image'], rows);
}

const registry = await startDockerRegistry();
const cacheDir = await mkdtemp(join(tmpdir(), 'pack-build-bench-'));
try {
  const fleet = await makeFleet(registry.host, { files: 9000, runtimeBytes: 1_000_000 });
  for (const delayMs of [0, 20]) {
    const proxy = await startProxy(registry.host, delayMs);
    const world = { proxy, fleet, cacheDir };
    // The files of a base are listed once, whoever moves to it.
    if (delayMs === 0) {
      const { msPerImage, traffic } = await moved(library(1), 1, world);
      console.log(`The first image: ${msPerImage.toFixed(0)} ms, ${traffic.layerBytes} bytes of layers read\n`);
    }
    console.log(
      `${N} images, ${ROUNDS === 1 ? 'one round' : `median of ${ROUNDS} rounds`}, ${delayMs} ms added to each request\n\n${await compare(world)}\n`,
    );
    if (delayMs === 0) console.log(`${await flatness(world)}\n`);
    proxy.close();
  }
} finally {
  await rm(cacheDir, { recursive: true });
  await registry.close();
}

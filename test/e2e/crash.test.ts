import { execFile } from 'node:child_process';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoryStore } from '../../src/blobs/memory-store.js';
import { openSource } from '../../src/layout/places.js';
import { layersOf } from '../../src/oci/image.js';
import { digestOf } from '../../src/values/digest.js';
import { isFailure } from '../../src/values/error.js';
import { parsePlace } from '../../src/values/place.js';
import { useCli } from '../support/command-line.js';
import { brokenOrders, type Den, forEach, makeDen, runFaulty, spread } from '../support/faults.js';
import { buildpack } from '../support/product.js';
import { serveRegistry, type TestRegistry } from '../support/registry.js';
import { ARCHITECTURE } from '../support/tiny-base.js';

const cli = useCli();
const LONG = 300_000;
const APP = { Procfile: 'web: sleep 1\n' };
const COMPILE = 'mkdir "$1/made"; echo made > "$1/made/file"; echo kept > "$2/kept"';

let app: string;
let bp: string;
/** A layout with the image that stands everywhere before: the app on the base `run`. */
let old: string;
let registry: TestRegistry;
beforeAll(async () => {
  app = await cli.directory(APP);
  bp = await cli.directory(buildpack({ compile: COMPILE }));
  old = join(await cli.directory(), 'image');
  const { status } = await cli.run(['build', app, '--buildpack', bp, '--base', cli.base(), '--to', `oci:${old}:v1`]);
  expect(status).toBe(0);
  registry = await serveRegistry();
});
afterAll(() => registry.close());

/** What is to survive: a command in a den, which writes to one place there. */
interface Case {
  readonly args: (den: Den) => readonly string[];
  readonly prepare: (den: Den) => Promise<void>;
  /** The digest of what stands at the place, all of whose bytes are there; undefined for nothing. */
  readonly digest: (den: Den) => Promise<string | undefined>;
}

const rebased = (...to: readonly string[]) => ['rebase', ...to, '--base', cli.base('next')];

async function digestAt(place: string): Promise<string | undefined> {
  try {
    const found = await openSource(parsePlace(place), memoryStore()).find({ os: 'linux', architecture: ARCHITECTURE });
    for (const { descriptor } of layersOf(found.image)) for await (const _ of found.blobs.stream(descriptor));
    return found.image.config.descriptor.digest;
  } catch (error) {
    if (isFailure(error, 'IMAGE_NOT_FOUND')) return undefined;
    throw error;
  }
}

const local = (place: string) => async (den: Den) => digestAt(place.replace('DEN', den.directory));

const copyOld = async ({ directory }: Den) =>
  promisify(execFile)('cp', ['-al', old, join(directory, 'image')]).then(() => undefined);

const CASES: Readonly<Record<string, Case>> = {
  'a rebase in its layout': {
    args: ({ directory }) => rebased(`oci:${directory}/image:v1`),
    prepare: copyOld,
    digest: local('oci:DEN/image:v1'),
  },
  'a rebase into a new layout': {
    args: ({ directory }) => rebased(`oci:${old}:v1`, '--to', `oci:${directory}/image:v1`),
    prepare: async () => undefined,
    digest: local('oci:DEN/image:v1'),
  },
  'a rebase into an OCI archive': {
    args: ({ directory }) => rebased(`oci:${old}:v1`, '--to', `oci-archive:${directory}/image.tar`),
    prepare: ({ directory }) => cp(archives.oci, join(directory, 'image.tar')),
    digest: local('oci-archive:DEN/image.tar'),
  },
  'a rebase into a Docker archive': {
    args: ({ directory }) => rebased(`oci:${old}:v1`, '--to', `docker-archive:${directory}/image.tar:shop`),
    prepare: ({ directory }) => cp(archives.docker, join(directory, 'image.tar')),
    digest: local('docker-archive:DEN/image.tar'),
  },
  'a push': {
    args: (den) => [
      ...rebased(`oci:${old}:v1`, '--to', `docker://${registry.host}/${nameOf(den)}:v1`),
      ...['--allow-upload-base', '--insecure-registry', registry.host],
    ],
    prepare: async () => undefined,
    digest: async (den) => digestInRegistry(nameOf(den)),
  },
  'a build into a layout': {
    args: ({ directory }) => {
      const to = `oci:${directory}/image:v1`;
      return ['build', join(directory, 'app'), '--buildpack', bp, '--base', cli.base('next'), '--to', to];
    },
    prepare: async (den) => {
      await copyOld(den);
      // The lock that the first build has written there makes this one no other.
      await cp(app, join(den.directory, 'app'), { recursive: true });
    },
    digest: local('oci:DEN/image:v1'),
  },
};

/** Archives of the image that stands everywhere before. */
const archives = { oci: '', docker: '' };
beforeAll(async () => {
  const directory = await cli.directory();
  archives.oci = join(directory, 'oci.tar');
  archives.docker = join(directory, 'docker.tar');
  const to = ['--to', `oci-archive:${archives.oci}`, '--to', `docker-archive:${archives.docker}:shop`];
  expect((await cli.run(['rebase', `oci:${old}:v1`, '--base', cli.base(), ...to])).status).toBe(0);
});

const nameOf = ({ directory }: Den) => `shop/${directory.split('/').at(-1)}`;

/** What a registry has under a tag; it takes no manifest whose blobs are missing. */
async function digestInRegistry(repository: string): Promise<string | undefined> {
  const found = registry.manifests.get(repository)?.get('v1');
  if (found === undefined) return undefined;
  const { config, layers } = JSON.parse(found.bytes.toString());
  for (const { digest } of [config, ...layers])
    expect(digestOf(registry.blobs.get(repository)?.get(digest) ?? Buffer.alloc(0))).toBe(digest);
  return config.digest;
}

/** Files that a killed command has left for the next: none may stay after that. */
async function leftIn({ directory }: Den): Promise<readonly string[]> {
  const names: string[] = [];
  const look = async (path: string) => {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      names.push(join(path, entry.name).slice(directory.length + 1));
      if (entry.isDirectory()) await look(join(path, entry.name));
    }
  };
  await look(directory);
  return names.filter((name) => /-p\d+\.|staged|partial|\.(lock|holder|breaker)$|^tmp\/./.test(name));
}

/** Lets a command die at a step. Then the place has what it had or what it is to have, and the next run makes it good. */
async function dieAt(
  one: Case,
  fault: string,
  clean: { readonly digest: string; readonly before: string | undefined },
) {
  const den = await makeDen(cli);
  await one.prepare(den);
  const died = await runFaulty(cli, one.args(den), den, fault);
  const seen = await one.digest(den);
  const again = await runFaulty(cli, one.args(den), den);
  const left = (await leftIn(den)).filter((name) => name !== 'app/pack-build.lock');
  const facts = {
    // A command whose last step is before its death has ended well.
    died: died.status !== 0,
    seen: seen === clean.digest ? 'new' : seen === clean.before ? 'old' : `neither: ${seen}`,
    again: again.status,
    digest: await one.digest(den),
    left,
  };
  const told = { ...facts, fault, at: died.steps.at(-1), stderr: again.status === 0 ? '' : again.stderr };
  expect(told).toMatchObject({
    died: true,
    seen: expect.stringMatching(/^(old|new)$/),
    again: 0,
    digest: clean.digest,
    left: [],
  });
  return { den, seen: facts.seen };
}

/** What a command that nothing happens to finds, makes and how many steps it takes. */
async function cleanRun(one: Case) {
  const den = await makeDen(cli);
  await one.prepare(den);
  const before = await one.digest(den);
  const run = await runFaulty(cli, one.args(den), den);
  expect(run.status === 0 ? '' : run.stderr).toBe('');
  const digest = (await one.digest(den)) ?? '';
  expect(digest).not.toBe(before);
  return { before, digest, count: run.count, steps: run.steps, den };
}

async function untilNoProcess(): Promise<void> {
  for (let waited = 0; waited < 5000 && (await cli.traces()).processes.length > 0; waited += 50) await sleep(50);
  expect((await cli.traces()).processes).toEqual([]);
}

/** Every way to die at as many steps as said: of all that are, or evenly spread. */
async function survive(name: string, kinds: readonly string[], points: number) {
  const one = CASES[name] as Case;
  const clean = await cleanRun(one);
  const seen: string[] = [];
  const faults = spread(clean.count, points).map((at, nth) => `${kinds[nth % kinds.length]}@${at}`);
  await forEach(faults, async (fault) => {
    seen.push((await dieAt(one, fault, clean)).seen);
  });
  await untilNoProcess();
  return { seen, faults, clean };
}

describe('killed at any step', () => {
  it.each([
    ['a rebase in its layout', 60],
    ['a rebase into a new layout', 14],
    ['a rebase into an OCI archive', 24],
    ['a rebase into a Docker archive', 5],
    ['a push', 14],
    ['a build into a layout', 22],
  ])(
    'FLT-1 %s leaves the old or the new, and the next run needs no help',
    async (name, points) => {
      const { seen, faults } = await survive(name, ['kill'], points);
      expect(seen).toHaveLength(faults.length);
      // The first step changes nothing that is seen.
      expect(seen).toContain('old');
    },
    LONG,
  );

  it(
    'FLT-1 a rebase in its layout leaves what other tools can read',
    async () => {
      const one = CASES['a rebase in its layout'] as Case;
      const clean = await cleanRun(one);
      const den = await makeDen(cli);
      await one.prepare(den);
      await runFaulty(cli, one.args(den), den, `kill@${Math.round(clean.count * 0.7)}`);
      await promisify(execFile)('skopeo', [
        'copy',
        `oci:${den.directory}/image:v1`,
        `dir:${join(den.directory, 'copy')}`,
      ]);
    },
    LONG,
  );
});

describe('crashed at any step', () => {
  it.each([
    ['a rebase in its layout', 8],
    ['a push', 4],
    ['a build into a layout', 6],
  ])(
    'FLT-12 %s leaves the old or the new, and the next run needs no help',
    async (name, points) => {
      const { seen, faults } = await survive(name, ['abort', 'throw'], points);
      expect(seen).toHaveLength(faults.length);
    },
    LONG,
  );
});

describe('what is told to be done', () => {
  it.each(Object.keys(CASES))(
    'FLT-2 FLT-14 %s: bytes before names, blobs before the index, all before the result',
    async (name) => {
      const { steps } = await cleanRun(CASES[name] as Case);
      expect(brokenOrders(steps)).toEqual([]);
      expect(steps).toContain('report');
      // Whatever is not synced is found out: every sync of a file that got its name here, and the last one of a directory.
      const renamed = steps.flatMap((step) => (step.startsWith('rename ') ? [step.split(' ')[1] ?? ''] : []));
      const needed = steps.filter((step) => step.startsWith('sync ') && renamed.includes(step.slice('sync '.length)));
      expect(name === 'a push' || needed.length > 0).toBe(true);
      for (const sync of needed) expect(brokenOrders(steps.filter((step) => step !== sync))).not.toEqual([]);
    },
  );

  it('FLT-14 a rebase into a new layout: the directories that were made are on the disk', async () => {
    const { steps, den } = await cleanRun(CASES['a rebase into a new layout'] as Case);
    const made = steps.findLastIndex((step) => step.startsWith('rename ') && step.endsWith(`${den.directory}/image`));
    const staged = steps[made]?.split(' ')[1];
    for (const directory of [staged, `${staged}/blobs`, `${staged}/blobs/sha256`])
      expect(steps.slice(0, made)).toContain(`sync ${directory}`);
    expect(steps.slice(made, steps.indexOf('report'))).toContain(`sync ${den.directory}`);
  });
});

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeWorkspace } from '../../../src/buildpack/workspace.js';
import { type Cache, cacheAt } from '../../../src/cache/cache.js';
import { openSourceIndex } from '../../../src/cache/source-index.js';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { takeSource } from '../../../src/steps/take-source.js';
import { settleTools } from '../../../src/steps/tools.js';
import { stampOf } from '../../../src/system/stamp.js';
import { withTempDir } from '../../../src/system/tempdir.js';

interface World {
  readonly source: string;
  readonly cache: Cache;
  readonly at: (name: string) => string;
  /** Takes the source with a cache, keeps what was found out, and gives what the build goes by. */
  readonly take: (cache?: Cache) => Promise<unknown>;
  /** As with a cache that knows nothing. */
  readonly fresh: () => Promise<unknown>;
}

let number = 0;

const inWorld = (work: (world: World) => Promise<void>) =>
  withTempDir('source-index', undefined, async (directory) => {
    const source = join(directory, 'app');
    mkdirSync(join(source, 'sub'), { recursive: true });
    for (const name of ['one', 'two', 'sub/three']) writeFileSync(join(source, name), `${name} as it was\n`);
    const tools = settleTools({ sandbox: hostSandbox(), env: {} });
    const cache = cacheAt(join(directory, 'cache'));
    const take = async (within = cache) => {
      number += 1;
      const hostDir = join(directory, `work${number}`);
      mkdirSync(hostDir);
      const request = { source, to: [], cacheDir: join(directory, 'cache'), limits: {} };
      const { digest, writers, keep } = await takeSource(request, within, await makeWorkspace(hostDir), tools);
      await keep();
      const hashes = [...writers].map(([path, { hash, entry }]) => [path, entry.type, entry.mode, entry.size, hash]);
      return { digest, hashes };
    };
    await settle(directory);
    await take();
    await work({
      source,
      cache,
      at: (name) => join(source, name),
      take,
      fresh: () => take(cacheAt(join(directory, `cache${number}`))),
    });
  });

/** Until what is there is older than the next tick of the clock. */
const settle = async (directory: string) => {
  const ctime = () => {
    writeFileSync(join(directory, 'clock'), '');
    const { ctimeNs } = statSync(join(directory, 'clock'), { bigint: true });
    rmSync(join(directory, 'clock'));
    return ctimeNs;
  };
  for (const from = ctime(); ctime() <= from; ) await new Promise((resolve) => setTimeout(resolve, 5));
};

const indexFile = ({ cache }: World) => join(cache.sources, readdirSync(cache.sources)[0] as string);

/** Rewrites the index as pack-build itself would have written it. */
const forge = (
  world: World,
  change: (body: { source: string; clock: string; files: [string, string[]][] }) => void,
) => {
  const [head = '', text = ''] = readFileSync(indexFile(world), 'utf8').split('\n');
  const body = JSON.parse(text);
  change(body);
  const sealed = JSON.stringify(body);
  const seal = createHash('sha256').update(sealed).digest('hex');
  writeFileSync(indexFile(world), `${head.slice(0, head.lastIndexOf(' '))} ${seal}\n${sealed}`);
};

/** Says of file `one` that it has the hash of something else. */
const lie = (world: World) =>
  forge(world, ({ files }) => {
    for (const [path, entry] of files) if (path === 'one') entry[1] = 'f'.repeat(64);
  });

describe('the source index', () => {
  it('spares the reading of files that nobody has written to since', () =>
    inWorld(async (world) => {
      lie(world);
      expect(JSON.stringify(await world.take())).toContain('f'.repeat(64));
    }));

  const tricks: Readonly<Record<string, (world: World) => void>> = {
    'as many bytes as before, and the time of before': ({ at }) => {
      const { atime, mtime } = statSync(at('one'));
      writeFileSync(at('one'), 'one AS it was\n');
      utimesSync(at('one'), atime, mtime);
    },
    'another file of the same size and time in its place': ({ at }) => {
      const { atime, mtime } = statSync(at('one'));
      writeFileSync(at('new'), 'one is new now');
      utimesSync(at('new'), atime, mtime);
      renameSync(at('new'), at('one'));
    },
    'two files that change places': ({ at }) => {
      renameSync(at('one'), at('other'));
      renameSync(at('two'), at('one'));
      renameSync(at('other'), at('two'));
    },
    'a link in place of a file': ({ at }) => {
      rmSync(at('one'));
      symlinkSync('two', at('one'));
    },
    'a file in place of a directory': ({ at }) => {
      rmSync(at('sub'), { recursive: true });
      writeFileSync(at('sub'), 'x');
    },
    'a file that was copied with its times': ({ at }) => {
      copyFileSync(at('two'), at('one'));
      const { atime, mtime } = statSync(at('two'));
      utimesSync(at('one'), atime, mtime);
    },
    'a time in the future': ({ at }) => {
      writeFileSync(at('one'), 'one OF tomorrow');
      utimesSync(at('one'), 4e9, 4e9);
    },
  };
  for (const [name, trick] of Object.entries(tricks)) {
    it(`changes no digest after ${name}`, () =>
      inWorld(async (world) => {
        const before = await world.take();
        trick(world);
        const after = await world.take();
        expect(after).toEqual(await world.fresh());
        expect(after).not.toEqual(before);
        expect(await world.take()).toEqual(after);
      }));
  }

  it('does not believe of a file what was found out in the tick in which it was changed', () =>
    inWorld(async (world) => {
      const truth = await world.fresh();
      const { ctimeNs } = lstatSync(world.at('one'), { bigint: true });
      lie(world);
      forge(world, (body) => {
        body.clock = String(ctimeNs);
      });
      expect(await world.take()).toEqual(truth);
    }));

  it('knows a file or is silent, however soon it was changed after it was hashed', () =>
    inWorld(async ({ source, cache, at }) => {
      let silent = 0;
      for (let round = 0; round < 300; round += 1) {
        const text = `round ${round % 10}`;
        writeFileSync(at('one'), text);
        const index = await openSourceIndex(cache, source, join(source, '..'));
        const stat = statSync(at('one'), { bigint: true });
        const known = index.hashOf('one', stat);
        const hash = createHash('sha256').update(text).digest('hex');
        expect([undefined, hash]).toContain(known);
        if (known === undefined) silent += 1;
        await index.keep(new Map([['one', [stampOf(stat), hash]]]));
      }
      expect(silent).toBeGreaterThan(0);
    }));

  it('FLT-10 does not believe an index from the future', () =>
    inWorld(async (world) => {
      const truth = await world.fresh();
      lie(world);
      forge(world, (body) => {
        body.clock = String(BigInt(body.clock) + 3_600_000_000_000n);
      });
      expect(await world.take()).toEqual(truth);
    }));

  it('does not believe the index of another tree, or of another version', () =>
    inWorld(async (world) => {
      const truth = await world.fresh();
      lie(world);
      forge(world, (body) => {
        body.source = '/somewhere/else';
      });
      expect(await world.take()).toEqual(truth);
      lie(world);
      writeFileSync(indexFile(world), readFileSync(indexFile(world), 'utf8').replace(/ 1 /, ' 2 '));
      expect(await world.take()).toEqual(truth);
    }));

  it('FLT-8 changes no digest when it is damaged, cut or gone', () =>
    inWorld(async (world) => {
      const truth = await world.fresh();
      const bytes = readFileSync(indexFile(world));
      const damage = fc.oneof(
        fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
          const flipped = Buffer.from(bytes);
          flipped[at] = (flipped[at] as number) ^ (1 << bit);
          return flipped;
        }),
        fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
        fc.uint8Array({ maxLength: 200 }).map((noise) => Buffer.from(noise)),
      );
      await fc.assert(
        fc.asyncProperty(damage, async (damaged) => {
          writeFileSync(indexFile(world), damaged);
          expect(await world.take()).toEqual(truth);
        }),
        { numRuns: 100 },
      );
      const file = indexFile(world);
      rmSync(file);
      mkdirSync(file);
      expect(await world.take()).toEqual(truth);
      rmSync(world.cache.sources, { recursive: true });
      expect(await world.take()).toEqual(truth);
    }));
});

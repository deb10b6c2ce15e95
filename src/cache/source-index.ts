import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, statfsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readSmall } from '../system/read-small.js';
import { makeWay } from '../system/remove.js';
import { writeStaged } from '../system/staged.js';
import { fileClock, isSettled, stampOf } from '../system/stamp.js';
import { digestOf, hexOf } from '../values/digest.js';
import type { Cache } from './cache.js';

/** What the files of a source were when they were hashed: their stamp and the sha256 of their bytes, in hex, by path. */
export type SourceFiles = ReadonlyMap<string, readonly [stamp: string, hash: string]>;

/** The hashes that an app's last build found out. They are only believed of files that nobody can have written to since. */
export interface SourceIndex {
  /** The hash of the file that was like this, in a tree that is read now. */
  hashOf(path: string, stat: BigIntStats): string | undefined;
  /** Keeps what was found out in place of what is kept. */
  keep(files: SourceFiles): Promise<void>;
}

/**
 * The index of the app whose source is in this directory, to be opened before any file of it is read. `workDirectory` tells
 * the time. An index that is absent, damaged, of another version or from the future is as good as none.
 */
export async function openSourceIndex(cache: Cache, source: string, workDirectory: string): Promise<SourceIndex> {
  const name = createHash('sha256').update(source).digest('hex').slice(0, 24);
  await cache.use('sources', name);
  const file = join(cache.sources, name);
  const { dev } = lstatSync(source, { bigint: true });
  const clock = clockOf(source, workDirectory);
  const kept = parse((await readSmall(file)) ?? '', source);
  const isBelieved = kept !== undefined && clock !== undefined && kept.clock <= clock;
  let missed = 0;
  const known = (path: string, stat: BigIntStats) => {
    if (!isBelieved || stat.dev !== dev || !isSettled(stat, kept.clock)) return undefined;
    const [stamp, hash] = kept.files.get(path) ?? [];
    return stamp === stampOf(stat) ? hash : undefined;
  };
  return {
    hashOf(path, stat) {
      const hash = known(path, stat);
      if (hash === undefined) missed += 1;
      return hash;
    },
    async keep(files) {
      if (clock === undefined || (missed === 0 && files.size === kept?.files.size)) return;
      await mkdir(dirname(file), { recursive: true });
      await makeWay(file);
      await writeStaged(file, format({ source, clock, files }));
    },
  };
}

/** By `statfs`: ext, xfs, btrfs, tmpfs, overlay, zfs, f2fs, bcachefs. */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0xca451a4e,
]);

/** No file system of these counts in longer ticks. */
const LONGEST_TICK_NS = 2_000_000_000n;

/**
 * The time before which a file of the source must have been changed last to be settled. Nothing is written to a source: its
 * file system's clock is read where we may write. Undefined where the clock is another machine's.
 */
function clockOf(source: string, workDirectory: string): bigint | undefined {
  const clock = fileClock(workDirectory);
  if (lstatSync(source).dev === lstatSync(workDirectory).dev) return clock;
  return LOCAL.has(statfsSync(source).type) ? clock - LONGEST_TICK_NS : undefined;
}

interface Kept {
  readonly source: string;
  readonly clock: bigint;
  readonly files: SourceFiles;
}

const FORMAT = 'pack-build source index 1';

/** One line that says what it is and seals the second. */
function format({ source, clock, files }: Kept): string {
  const body = JSON.stringify({ source, clock: String(clock), files: [...files] });
  return `${FORMAT} ${sealOf(body)}\n${body}`;
}

function parse(text: string, source: string): Kept | undefined {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (text.slice(0, Math.max(end, 0)) !== `${FORMAT} ${sealOf(body)}`) return undefined;
  const { clock, files, source: whose } = JSON.parse(body);
  return whose === source ? { source, clock: BigInt(clock), files: new Map(files) } : undefined;
}

function sealOf(body: string): string {
  return hexOf(digestOf(Buffer.from(body)));
}

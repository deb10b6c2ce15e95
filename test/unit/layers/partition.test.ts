import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Part, partition } from '../../../src/layers/partition.js';
import type { TreeEntry } from '../../../src/layers/tree.js';
import type { Writers, Written } from '../../../src/layers/writers.js';

const MiB = 1 << 20;
const names = ['source', 'apt', 'nodejs'];

function file(step: number, size = 1): Written {
  return { step, entry: { type: 'file', mode: 0o644, size, stamp: '' } };
}

function directory(step = 0): Written {
  return { step, entry: { type: 'directory', mode: 0o755, size: 0, stamp: '' } };
}

/** A tree of these paths, with all directories above them. */
function writersOf(paths: Readonly<Record<string, Written>>): Writers {
  const all = new Map<string, Written>([['', directory()]]);
  for (const [path, written] of Object.entries(paths)) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const above = parts.slice(0, depth).join('/');
      if (!all.has(above)) all.set(above, directory(written.step));
    }
    all.set(path, written);
  }
  return all;
}

function namesOf(parts: readonly Part[]): readonly string[] {
  return parts.map(({ name }) => name);
}

function pathsOf(part: Part | undefined): readonly string[] {
  return part?.entries.map(([path]) => path) ?? [];
}

describe('partition', () => {
  it('makes one part of what each step wrote, the source last', () => {
    const parts = partition(writersOf({ 'server.js': file(0), 'bin/tool': file(1), 'out/x': file(2) }), names, 30);
    expect(namesOf(parts)).toEqual(['apt', 'nodejs', 'source']);
    expect(pathsOf(parts[0])).toEqual(['', 'bin', 'bin/tool']);
    expect(pathsOf(parts[2])).toEqual(['', 'server.js']);
  });

  it('gives big directories parts of their own: runtimes lowest, then dependencies', () => {
    const tree = writersOf({
      'assets/film': file(0, MiB),
      'node_modules/a/b.js': file(2, MiB),
      '.heroku/node/bin/node': file(2, MiB),
      '.heroku/small': file(2),
      'small/x': file(2, MiB - 1),
      'server.js': file(0),
    });
    const parts = partition(tree, names, 30);
    expect(namesOf(parts)).toEqual(['.heroku/node', 'node_modules', 'nodejs', 'assets', 'source']);
    expect(pathsOf(parts[2])).toEqual(['', '.heroku', '.heroku/small', 'small', 'small/x']);
  });

  it('keeps an empty directory, and one that holds nothing but a socket', () => {
    const socket: Written = { step: 1, entry: { type: 'special', mode: 0o644, size: 0, stamp: '' } };
    const parts = partition(writersOf({ 'tmp/pids': directory(0), 'run/socket': socket }), names, 30);
    expect(parts.flatMap(pathsOf).sort()).toEqual(['', '', 'run', 'tmp', 'tmp/pids']);
  });

  it('makes one part of an app without files', () => {
    expect(partition(writersOf({}), names, 30).map(pathsOf)).toEqual([['']]);
  });

  it('changes only the part of the source when a line of the source changes', () => {
    const tree = (size: number) =>
      writersOf({ 'server.js': file(0, size), 'node_modules/a': file(2, MiB), 'bin/tool': file(1) });
    const [before, after] = [partition(tree(10), names, 30), partition(tree(11), names, 30)];
    const changed = after.filter((part, at) => JSON.stringify(part) !== JSON.stringify(before[at]));
    expect(namesOf(changed)).toEqual(['source']);
  });

  it('merges the smallest parts when there are too many', () => {
    const dirs = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`dir${n}/x`, file(1, MiB + n)] as const));
    const parts = partition(writersOf({ ...dirs, 'server.js': file(0) }), names, 4);
    expect(namesOf(parts)).toEqual(['dir6', 'dir7', 'dir8', 'more']);
    expect(pathsOf(parts[3])).toEqual(expect.arrayContaining(['dir0/x', 'dir5/x', 'server.js']));
  });

  it('makes one part of everything when one is all there may be', () => {
    const parts = partition(writersOf({ a: file(0), b: file(1), c: file(2) }), names, 1);
    expect(parts.map(pathsOf)).toEqual([['', 'a', 'b', 'c']]);
  });

  it('orders parts of the same name by who wrote them', () => {
    const entries = [
      ['vendor/x/1', file(1, MiB)],
      ['vendor/x/2', file(2, MiB)],
      ['a', file(1)],
      ['b', file(2)],
    ] as const;
    const twice = ['source', 'same', 'same'];
    const one = partition(writersOf(Object.fromEntries(entries)), twice, 30);
    expect(partition(writersOf(Object.fromEntries(entries.toReversed())), twice, 30)).toEqual(one);
    expect(one.map(pathsOf).map((paths) => paths.at(-1))).toEqual(['vendor/x/1', 'vendor/x/2', 'a', 'b']);
  });

  const name = fc.constantFrom('a', 'b', '.heroku', 'vendor', 'node_modules', 'é');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const written = fc
    .tuple(fc.nat({ max: 3 }), fc.constantFrom<TreeEntry['type']>('file', 'directory', 'symlink', 'special'), fc.nat())
    .map(
      ([step, type, size]): Written => ({
        step,
        entry: { type, mode: 0o755, size: type === 'file' ? size % (2 * MiB) : 0, stamp: '' },
      }),
    );
  /** Nothing lies below what is no directory. */
  const anyWriters = fc.dictionary(path, written, { maxKeys: 25 }).map((paths) => {
    const isDirectory = (at: string) => paths[at] === undefined || paths[at].entry.type === 'directory';
    const above = (at: string) => at.split('/').map((_, n, parts) => parts.slice(0, n).join('/'));
    return writersOf(Object.fromEntries(Object.entries(paths).filter(([at]) => above(at).every(isDirectory))));
  });

  it('covers any tree with at most so many parts, which share directories and nothing else', () => {
    fc.assert(
      fc.property(anyWriters, fc.integer({ min: 1, max: 6 }), (writers, limit) => {
        const parts = partition(writers, names, limit);
        expect(parts.length).toBeLessThanOrEqual(limit);
        const wanted = [...writers].filter(([, { entry }]) => entry.type !== 'special').map(([at]) => at);
        expect(new Set(parts.flatMap(pathsOf))).toEqual(new Set(wanted));
        const alone = parts.flatMap(({ entries }) => entries.filter(([, { type }]) => type !== 'directory'));
        expect(new Set(alone.map(([at]) => at)).size).toBe(alone.length);
        for (const part of parts) {
          const seen = new Set(['']);
          for (const [at] of part.entries) {
            expect(seen).toContain(at.slice(0, Math.max(0, at.lastIndexOf('/'))));
            seen.add(at);
          }
        }
      }),
    );
  });

  it('gives the same parts in whatever order a directory lists its names', () => {
    const shuffled = anyWriters.chain((writers) =>
      fc
        .shuffledSubarray([...writers], { minLength: writers.size })
        .map((entries) => [writers, new Map(entries)] as const),
    );
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 1, max: 6 }), ([one, other], limit) => {
        expect(partition(other, ['x', 'x', 'x', 'x'], limit)).toEqual(partition(one, ['x', 'x', 'x', 'x'], limit));
      }),
    );
  });
});

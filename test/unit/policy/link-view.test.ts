import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TarEntry } from '../../../src/archive/tar-entry.js';
import { emptyRoot } from '../../../src/layers/merge.js';
import { walkPath } from '../../../src/layers/walk-path.js';
import { linkView } from '../../../src/policy/link-view.js';
import { isFailure } from '../../../src/values/error.js';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const target = fc
  .tuple(fc.boolean(), fc.array(fc.oneof(name, fc.constantFrom('..', '.', '')), { minLength: 1, maxLength: 4 }))
  .map(([absolute, names]) => `${absolute ? '/' : ''}${names.join('/')}`)
  .filter((text) => text !== '');
const entry = fc.oneof(
  fc.record({ type: fc.constantFrom('directory', 'file'), path }),
  fc.record({ type: fc.constant('symlink'), path, linkName: target }),
) as fc.Arbitrary<Pick<TarEntry, 'type' | 'path' | 'linkName'>>;
const layers = fc.array(fc.array(entry, { maxLength: 8 }), { minLength: 1, maxLength: 3 });

describe('linkView', () => {
  it('RST-3 leads where the layers lead once they are applied', () => {
    let compared = 0;
    fc.assert(
      fc.property(layers, (all) => {
        const root = emptyRoot();
        const view = linkView();
        for (const entries of all) {
          root.beginLayer();
          for (const { type, path: at, linkName } of entries) {
            const whole = { type, path: at, linkName, mode: 0o755, uid: 0, gid: 0, size: 0 };
            const expected = placeIn(root.inventory(), at);
            if (expected === undefined || !isAdded(() => root.add(whole))) return;
            expect(view.placeOf(at)).toBe(expected);
            view.put(expected, type, linkName);
            compared += 1;
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(2000);
  });

  it('RST-3 leads nowhere by links that go in circles', () => {
    const view = linkView();
    view.put('a', 'symlink', 'b');
    view.put('b', 'symlink', 'a');
    expect(view.placeOf('a/x')).toBeUndefined();
    expect(view.placeOf('a')).toBe('a');
  });
});

/** Undefined for a path that no layer can have. */
function placeIn(inventory: ReturnType<ReturnType<typeof emptyRoot>['inventory']>, at: string): string | undefined {
  const names = at.split('/');
  const last = names.pop() ?? '';
  let directory: string | undefined;
  const isPlaced = isAdded(() => {
    directory = walkPath({ look: (one) => inventory.get(one), make: () => undefined }, names.join('/'));
  });
  if (!isPlaced || directory === undefined) return undefined;
  return directory === '' ? last : `${directory}/${last}`;
}

function isAdded(add: () => void): boolean {
  try {
    add();
    return true;
  } catch (error) {
    if (isFailure(error, 'ARCHIVE_INVALID')) return false;
    throw error;
  }
}

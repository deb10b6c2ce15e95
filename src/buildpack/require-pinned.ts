import { admitsIntegrity } from '../system/integrity.js';
import { fail } from '../values/error.js';

/** Holds what a buildpack turned out to be to what the lock says. Throws `BUILDPACK_INTEGRITY`. */
export function requirePinned(id: string, expected: string, found: string): void {
  if (expected === found || admitsIntegrity(expected, found)) return;
  throw fail('BUILDPACK_INTEGRITY', {
    what: `buildpack ${id} is not the one that pack-build.lock names`,
    why: `expected ${expected}, found ${found}`,
    fix: 'if the change is wanted, remove its entry from pack-build.lock and build again',
    details: { buildpack: id, expected, found },
  });
}

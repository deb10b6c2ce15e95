import { fail } from '../values/error.js';

/** Names of labels that are not an app's to set, with whose they are. */
const TAKEN: readonly (readonly [prefix: string, why: string])[] = [
  ['dev.pack-build.', 'labels that begin with dev.pack-build. are those of pack-build itself'],
  ['org.opencontainers.image.base.', 'it tells of the base, and would be untrue after a rebase'],
  ['io.buildpacks.build.', 'it tells tools of CNB what the app is made of'],
  ['io.buildpacks.lifecycle.', 'it tells tools of CNB where the base ends'],
  ['io.buildpacks.base.', 'it is what the base says of itself, and a rebase looks at it'],
  ['io.buildpacks.stack.', 'it is what the base says of itself, and a rebase looks at it'],
];

/**
 * Looks at the labels that a user gives an app (R110). They are a part of the app: a rebase keeps them, and the record has
 * them. Throws `LABEL_INVALID`.
 */
export function requireLabels(labels: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(labels)) {
    const why = problemOf(name);
    if (why === undefined) continue;
    throw fail('LABEL_INVALID', {
      what: `${JSON.stringify(name)} cannot be a label of the app`,
      why,
      fix: 'give it another name, such as com.example.version',
      details: { label: name },
    });
  }
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'the name is empty';
  if (/[\s\p{Cc}]/u.test(name)) return 'the name has white space or control characters';
  return TAKEN.find(([prefix]) => name.startsWith(prefix))?.[1];
}

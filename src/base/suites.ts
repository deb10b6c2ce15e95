import { fail } from '../values/error.js';

/** A release of a distribution that a base can be made of. */
export interface Suite {
  /** What users write, and the base's honest stack id. */
  readonly name: string;
  /** `ID` and `VERSION_ID` of os-release(5). */
  readonly distribution: string;
  readonly version: string;
  /** The release's name in the archive. */
  readonly codename: string;
  readonly title: string;
}

const SUITES: readonly Suite[] = [
  { name: 'debian-12', distribution: 'debian', version: '12', codename: 'bookworm', title: 'Debian 12' },
  { name: 'debian-13', distribution: 'debian', version: '13', codename: 'trixie', title: 'Debian 13' },
];

/** Finds a suite by its name. Throws `BASE_SUITE_UNKNOWN`. */
export function suiteNamed(name: string): Suite {
  const suite = SUITES.find((known) => known.name === name);
  if (suite !== undefined) return suite;
  const known = SUITES.map((each) => each.name);
  const likely = SUITES.find(({ codename, version }) => name.endsWith(codename) || name === `debian${version}`);
  throw fail('BASE_SUITE_UNKNOWN', {
    what: `no base can be made of ${JSON.stringify(name)}`,
    why: `known suites: ${known.join(', ')}`,
    fix: `${likely ? '' : 'name one of them: '}pack-build base create ${(likely ?? SUITES[0])?.name} --to oci:DIR`,
    details: { suite: name, known },
  });
}

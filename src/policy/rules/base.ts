import type { CheckedImage } from '../check-image.js';
import type { Policy } from '../policy.js';
import type { KnownBase } from '../scan.js';
import type { Violation } from '../violation.js';

const DAY = 86_400_000;

/** Which base an image may stand on. What only the image says of its base allows nothing. */
export function baseRules({ base, now }: CheckedImage, rules: Policy['bases']): readonly Violation[] {
  const { allow, maxAgeDays } = rules ?? {};
  return [...allowRule(base, allow), ...ageRule(base, now, maxAgeDays)];
}

function allowRule(base: KnownBase | undefined, allow: readonly string[] | undefined): readonly Violation[] {
  if (allow === undefined || (base?.isProved && allow.some((allowed) => isMeant(base, allowed)))) return [];
  const got = base === undefined ? null : [base.name, ...base.digests].filter((text) => text !== undefined).join(' ');
  const isClaim = base !== undefined && !base.isProved;
  const hint = isClaim
    ? 'the image says so and nothing proves it: name the base with --base REF'
    : 'put the image on a base that is allowed: pack-build rebase IMAGE --base REF';
  return [{ code: 'RST_BASE', got, limit: allow, hint }];
}

function isMeant({ digests, name }: KnownBase, allowed: string): boolean {
  if (digests.some((digest) => digest === allowed)) return true;
  if (name === undefined) return false;
  return canonical(name) === canonical(allowed) || repositoryOf(canonical(name)) === canonical(allowed);
}

/** `heroku/heroku:24` is `docker.io/heroku/heroku:24`. */
function canonical(name: string): string {
  const plain = name.replace(/^docker:\/\//, '').replace(/^(index\.)?docker\.io\//, '');
  return plain.replace(/^library\//, '');
}

function repositoryOf(name: string): string {
  return name.replace(/:[^:/]*$/, '');
}

function ageRule(base: KnownBase | undefined, now: number, maxAgeDays: number | undefined): readonly Violation[] {
  if (maxAgeDays === undefined) return [];
  const created = Date.parse(base?.created ?? '');
  // The constant times of reproducible images tell no age.
  const isKnown = created >= Date.UTC(1981);
  if (isKnown && now - created <= maxAgeDays * DAY) return [];
  const hint = 'put the image on a newer base: pack-build rebase IMAGE --base REF';
  return [{ code: 'RST_BASE_AGE', got: isKnown ? Math.ceil((now - created) / DAY) : null, limit: maxAgeDays, hint }];
}

/** The bases of a fleet, each with how many images stand on it, in order. */
export function countBases(bases: readonly (KnownBase | undefined)[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const base of bases) {
    const key = base?.digests.at(-1) ?? base?.name ?? 'unknown';
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** On how many bases a fleet may stand. What is unknown counts as one more. */
export function checkFleet(bases: readonly (KnownBase | undefined)[], { bases: rules }: Policy): readonly Violation[] {
  const distinct = Object.keys(countBases(bases)).length;
  if (rules?.maxDistinct === undefined || distinct <= rules.maxDistinct) return [];
  const hint = 'put the images on fewer bases: pack-build rebase IMAGE --base REF';
  return [{ code: 'RST_BASES', got: distinct, limit: rules.maxDistinct, hint }];
}

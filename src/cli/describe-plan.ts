import type { Change } from '../oci/config-changes.js';
import type { PackageDelta } from '../oci/package-delta.js';
import type { Check } from '../oci/rebase-checks.js';
import type { RebasePlan, Shadowed } from '../oci/rebase-plan.js';
import type { Transfer } from '../steps/transfers.js';
import { isDigest, shortDigest } from '../values/digest.js';
import { formatPlatform } from '../values/platform.js';
import { describeAge } from './age.js';

/** How many packages and files are named where nobody has asked for the whole plan. */
export const FEW = 5;

/** The plans of all images, each under its platform if there are several. */
export function describePlans(plans: readonly RebasePlan[], most: number, now: number): readonly string[] {
  const [only, ...others] = plans;
  if (only !== undefined && others.length === 0) return describePlan(only, most, now);
  return plans.flatMap((plan) => [`-----> ${formatPlatform(plan.platform)}`, ...describePlan(plan, most, now)]);
}

/** The plan in words, the same before and after a rebase, with at most so many things of a kind by name. */
export function describePlan(plan: RebasePlan, most: number, now: number): readonly string[] {
  const { from, to, layersOut, layersIn, layersKept, changes, packages, shadowed = [], checks, isNoop } = plan;
  if (isNoop) return [`-----> The image stands on ${to.name ?? 'this base'} (${shortDigest(to.digest)}) already`];
  const size = megabytes(layersIn.reduce((sum, { descriptor }) => sum + descriptor.size, 0));
  return [
    `-----> From ${described(from, 'its base', now)} to ${described(to, 'the new base', now)}`,
    ...[
      `layers: ${layersOut.length} out, ${layersIn.length} in (${size}), ${layersKept} of the app stay`,
      ...(packages === undefined ? [] : describePackages(packages, most)),
      ...describeShadowed(shadowed, most),
      ...changes.map(describeChange),
      ...checks.map(describeCheck),
    ].map((line) => `       ${line}`),
  ];
}

/** What would move to a place, in words. */
export function describeTransfer({ place, there, lacks, bytes }: Transfer): readonly string[] {
  const of = (wanted: string) => lacks.filter(({ way }) => way === wanted).length;
  const mounted = of('mounted') === 0 ? '' : `, ${of('mounted')} to mount`;
  return [`       to ${place}: ${megabytes(bytes)} to send (layers: ${there} there${mounted}, ${of('sent')} to send)`];
}

type BaseFacts = RebasePlan['from'];

function described({ name, digest, created }: BaseFacts, nameless: string, now: number): string {
  const facts = [
    ...(digest === undefined ? [] : [shortDigest(digest)]),
    ...(describeAge(created, now) === undefined ? [] : [`${describeAge(created, now)} old`]),
  ];
  return `${name ?? nameless}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

function describePackages(delta: PackageDelta, most: number): readonly string[] {
  const { upgraded, downgraded, added, removed } = delta;
  const moved = ({ name, before, after }: PackageDelta['upgraded'][number]) => `${name} ${before} -> ${after}`;
  const there = ({ name, version }: PackageDelta['added'][number]) => `${name} ${version}`;
  const lines = [
    ...listed('packages upgraded', upgraded.map(moved), most),
    ...listed('packages downgraded', downgraded.map(moved), most),
    ...listed('packages added', added.map(there), most),
    ...listed('packages removed', removed.map(there), most),
  ];
  return lines.length === 0 ? ['packages: all the same'] : lines;
}

function describeShadowed(shadowed: readonly Shadowed[], most: number): readonly string[] {
  const lines = shadowed.map(({ path, change, by }) => `${path} (${change} in the base, ${by} by the app)`);
  return listed('files that the app hides from this change', lines, most);
}

function listed(title: string, lines: readonly string[], most: number): readonly string[] {
  if (lines.length === 0) return [];
  const more = lines.length > most ? [`  and ${lines.length - most} more; --json has them all`] : [];
  return [`${title}: ${lines.length}`, ...lines.slice(0, most).map((line) => `  ${line}`), ...more];
}

function describeChange({ field, before, after, base, why }: Change): string {
  const stays = `${field} stays ${brief(after)}`;
  switch (why) {
    case 'base':
      return `${field}: ${brief(before)} -> ${brief(after)} (new base)`;
    case 'merged':
      return `${field}: ${brief(before)} -> ${brief(after)} (new base, and what the app adds)`;
    case 'overlay':
      return `${stays} (the app's, over ${brief(base)} of the new base)`;
    case 'conflict':
      return `${stays} (both have changed it; the new base has ${brief(base)})`;
  }
}

function describeCheck({ name, verdict, message, waiver }: Check): string {
  const wayOut = verdict === 'fails' && waiver !== undefined ? `; ${waiver} accepts it` : '';
  return `${name} ${verdict}: ${message}${wayOut}`;
}

/** A digest says no more in full than in part. */
function brief(value: string | undefined): string {
  if (value === undefined) return '(none)';
  return isDigest(value) ? shortDigest(value) : value;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

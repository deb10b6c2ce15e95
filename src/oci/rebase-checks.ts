import type { ErrorCode } from '../values/error.js';
import { formatPlatform, samePlatform } from '../values/platform.js';
import type { Needs } from './app.js';
import { type Base, type Image, labelsOf, platformOf } from './image.js';
import type { PackageDelta } from './package-delta.js';
import type { Parts } from './parts.js';

/** What a user may decide to accept, one by one. There is no way to accept everything. */
export interface Waivers {
  readonly stackChange?: boolean | undefined;
  readonly distroChange?: boolean | undefined;
  readonly uidChange?: boolean | undefined;
  readonly abiBreak?: boolean | undefined;
  readonly downgrade?: boolean | undefined;
  readonly notRebasable?: boolean | undefined;
  /** To send layers of a base that is in the registry already, where it does not mount them. */
  readonly uploadBase?: boolean | undefined;
}

/** One thing that was looked at before an app goes onto another base. */
export interface Check {
  readonly name: 'platform' | 'stack' | 'distro' | 'uid' | 'rebasable' | 'needs' | 'downgrade';
  /** `waived`: it does not hold, and the user accepted that. `unknown`: nobody can tell, and the rebase goes on. */
  readonly verdict: 'holds' | 'fails' | 'waived' | 'unknown';
  readonly message: string;
  readonly code: ErrorCode;
  /** The flag that accepts it, if anything may. */
  readonly waiver?: string;
}

/** What a base has, as far as a check must know. Absent where nobody has looked. */
export interface Provides {
  hasPath(path: string): boolean;
  hasLibrary(soname: string): boolean;
  /** True also for a library that has no versions of symbols, or whose versions are not known. */
  hasVersion(soname: string, version: string): boolean;
}

const STACK = 'io.buildpacks.stack.id';
const REBASABLE = 'io.buildpacks.rebasable';
const UID = 'io.buildpacks.base.uid';
const DISTRO = ['io.buildpacks.base.distro.name', 'io.buildpacks.base.distro.version'] as const;

/** What was found out about the two bases. */
export interface Found {
  /** What the app refers to and only the old base has. */
  readonly lost: readonly string[];
  /** What differs between the packages of the two, if that is known. */
  readonly packages?: PackageDelta | undefined;
  /** When they were made, RFC 3339, as far as they say so. */
  readonly made?: { readonly before?: string | undefined; readonly after?: string | undefined } | undefined;
}

/**
 * Looks at everything that can speak against putting this app, from this image, on that base. Writes nothing.
 */
export function checkRebase(
  image: Image,
  app: Parts['app'],
  base: Base,
  { lost, packages, made = {} }: Found,
  waivers: Waivers,
): readonly Check[] {
  return [
    checkPlatform(app, base),
    checkLabels('stack', 'REBASE_STACK_MISMATCH', [STACK], image, base, waivers.stackChange, '--allow-stack-change'),
    checkLabels('distro', 'REBASE_DISTRO_MISMATCH', DISTRO, image, base, waivers.distroChange, '--allow-distro-change'),
    checkUid(image, app, base, waivers.uidChange),
    ...checkRebasable(image, waivers.notRebasable),
    app.needs === undefined ? UNKNOWN_NEEDS : checkNeeds(lost, waivers.abiBreak),
    ...checkDowngrade(packages, made, waivers.downgrade),
  ];
}

/** Compiled code cannot be waived onto another processor. */
function checkPlatform(app: Parts['app'], base: Base): Check {
  const holds = samePlatform(app.platform, platformOf(base.image));
  const [mine, its] = [formatPlatform(app.platform), formatPlatform(platformOf(base.image))];
  return {
    name: 'platform',
    code: 'REBASE_PLATFORM_MISMATCH',
    verdict: holds ? 'holds' : 'fails',
    message: holds ? `both are ${mine}` : `the app was built for ${mine}, the new base is ${its}`,
  };
}

/** Labels that one of the two lacks say nothing. */
function checkLabels(
  name: 'stack' | 'distro',
  code: ErrorCode,
  labels: readonly string[],
  image: Image,
  base: Base,
  waived: boolean | undefined,
  waiver: string,
): Check {
  const [mine, its] = [labelsOf(image), labelsOf(base.image)];
  const holds = labels.every((label) => !mine[label] || !its[label] || mine[label] === its[label]);
  const [before, after] = [mine, its].map((of) => labels.flatMap((label) => of[label] || []).join(' '));
  const message = holds
    ? `the ${name} stays ${after || before || 'unnamed'}`
    : `the ${name} changes from ${before} to ${after}`;
  return { name, code, message, verdict: verdictOf(holds, waived), waiver };
}

/** The user a base is meant to be used as; a name and a number are the same only where they are written alike. */
function checkUid(image: Image, app: Parts['app'], base: Base, waived: boolean | undefined): Check {
  const before = uidOf(labelsOf(image)[UID]) ?? uidOf(app.user);
  const after = uidOf(labelsOf(base.image)[UID]) ?? uidOf(base.image.config.value.config?.User);
  const holds = before === undefined || after === undefined || before === after;
  const message = holds
    ? `the app runs as ${app.user}`
    : `the app runs as user ${before}, the new base is made for user ${after}`;
  return {
    name: 'uid',
    code: 'REBASE_UID_MISMATCH',
    message,
    verdict: verdictOf(holds, waived),
    waiver: '--allow-uid-change',
  };
}

function uidOf(user: string | undefined): number | undefined {
  const number = /^(\d+)(?::\d+)?$/.exec(user ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Who built the image said that it must not be moved: only then is there a word of it. */
function checkRebasable(image: Image, waived: boolean | undefined): readonly Check[] {
  if (labelsOf(image)[REBASABLE] !== 'false') return [];
  const message = `the image says that it is not to be moved: ${REBASABLE} is false`;
  const verdict = verdictOf(false, waived);
  return [{ name: 'rebasable', code: 'REBASE_REFUSED', message, verdict, waiver: '--allow-not-rebasable' }];
}

function checkNeeds(lost: readonly string[], waived: boolean | undefined): Check {
  const message =
    lost.length === 0
      ? 'what the app refers to is in the new base as it was in the old one'
      : `the new base lacks ${lost.join(', ')}, which the app refers to`;
  const verdict = verdictOf(lost.length === 0, waived);
  return { name: 'needs', code: 'REBASE_BASE_LACKS', message, verdict, waiver: '--allow-abi-break' };
}

/** Of images of others nobody has looked when they were built. */
const UNKNOWN_NEEDS: Check = {
  name: 'needs',
  code: 'REBASE_BASE_LACKS',
  verdict: 'unknown',
  message: 'nobody has written down what the app refers to: start it and see',
};

/** A patch replaces packages by newer ones. */
function checkDowngrade(
  packages: PackageDelta | undefined,
  made: Exclude<Found['made'], undefined>,
  waived: boolean | undefined,
): readonly Check[] {
  if (packages === undefined) return checkAge(made, waived);
  const { downgraded } = packages;
  const some = downgraded.slice(0, 3).map(({ name, before, after }) => `${name} ${before} -> ${after}`);
  const more = downgraded.length > some.length ? ` and ${downgraded.length - some.length} more` : '';
  const holds = downgraded.length === 0;
  const message = holds ? 'no package gets older' : `packages of the new base are older: ${some.join(', ')}${more}`;
  const verdict = verdictOf(holds, waived);
  return [{ name: 'downgrade', code: 'REBASE_DOWNGRADE', message, verdict, waiver: '--allow-downgrade' }];
}

/**
 * Without lists of packages, all there is to compare is when the bases were made. That one was made later does not tell that
 * nothing in it is older.
 */
function checkAge({ before, after }: Exclude<Found['made'], undefined>, waived: boolean | undefined): readonly Check[] {
  const [old, now] = [timeOf(before), timeOf(after)];
  if (old === undefined || now === undefined) return [];
  const isOlder = now < old;
  const message = isOlder
    ? `the new base is older: it was made ${after}, the old one ${before}`
    : `packages cannot be compared, but the new base was made ${after}, the old one ${before}`;
  const verdict = isOlder ? verdictOf(false, waived) : 'unknown';
  return [{ name: 'downgrade', code: 'REBASE_DOWNGRADE', message, verdict, waiver: '--allow-downgrade' }];
}

/** Reproducible images have a time that says nothing: 1970, or 1980. */
function timeOf(created: string | undefined): number | undefined {
  const time = Date.parse(created ?? '');
  return Number.isNaN(time) || time < Date.UTC(1981) ? undefined : time;
}

/** What an app refers to and a base does not have: paths, then names of libraries, then versions that libraries lack. */
export function lacking({ paths, libraries, versions }: Needs, provides: Provides): readonly string[] {
  const present = Object.entries(versions).filter(([soname]) => provides.hasLibrary(soname));
  return [
    ...paths.filter((path) => !provides.hasPath(path)),
    ...libraries.filter((soname) => !provides.hasLibrary(soname)),
    ...present.flatMap(([soname, asked]) =>
      asked.filter((version) => !provides.hasVersion(soname, version)).map((version) => `${version} in ${soname}`),
    ),
  ];
}

function verdictOf(holds: boolean, waived: boolean | undefined): Check['verdict'] {
  if (holds) return 'holds';
  return waived === true ? 'waived' : 'fails';
}

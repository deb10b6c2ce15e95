/** A package that both bases have, in another version. */
export interface PackageChange {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** What differs between the packages of two bases. Each list is sorted by name. */
export interface PackageDelta {
  readonly upgraded: readonly PackageChange[];
  readonly downgraded: readonly PackageChange[];
  readonly added: readonly { readonly name: string; readonly version: string }[];
  readonly removed: readonly { readonly name: string; readonly version: string }[];
}

/** Versions by the name of the package. */
export type Packages = Readonly<Record<string, string>>;

/** Compares two lists of versions by package. */
export function packageDelta(before: Packages, after: Packages): PackageDelta {
  const changed = names(before)
    .filter((name) => Object.hasOwn(after, name) && after[name] !== before[name])
    .map((name) => ({ name, before: before[name] as string, after: after[name] as string }));
  const isUpgrade = (change: PackageChange) => compareVersions(change.before, change.after) <= 0;
  return {
    upgraded: changed.filter(isUpgrade),
    downgraded: changed.filter((change) => !isUpgrade(change)),
    added: only(after, before),
    removed: only(before, after),
  };
}

function names(packages: Packages): readonly string[] {
  return Object.keys(packages).sort();
}

function only(packages: Packages, others: Packages): PackageDelta['added'] {
  return names(packages)
    .filter((name) => !Object.hasOwn(others, name))
    .map((name) => ({ name, version: packages[name] as string }));
}

/** Debian's order of versions (deb-version(7)): negative when the first is the older one. apk's are close enough to it. */
export function compareVersions(a: string, b: string): number {
  const [mine, its] = [partsOf(a), partsOf(b)];
  return mine.epoch - its.epoch || compareText(mine.upstream, its.upstream) || compareText(mine.revision, its.revision);
}

function partsOf(version: string) {
  const [, epoch = '0', rest = ''] = /^(?:(\d{1,9}):)?(.*)$/s.exec(version) ?? [];
  const hyphen = rest.lastIndexOf('-');
  const [upstream, revision] = hyphen < 0 ? [rest, ''] : [rest.slice(0, hyphen), rest.slice(hyphen + 1)];
  return { epoch: Number(epoch), upstream, revision };
}

/** Parts that are not digits and parts that are, in turn; a digit part counts as a number, however long. */
function compareText(a: string, b: string): number {
  const [mine, its] = [a, b].map((text) => text.split(/(\d+)/)) as [string[], string[]];
  for (let at = 0; at < Math.max(mine.length, its.length); at += 1) {
    const [left, right] = [mine[at] ?? '', its[at] ?? ''];
    const order = at % 2 === 0 ? compareWords(left, right) : compareDigits(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function compareDigits(a: string, b: string): number {
  const [left, right] = [a, b].map((digits) => digits.replace(/^0+/, '')) as [string, string];
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}

/** A tilde sorts before the end, the end before letters, letters before all else. */
function compareWords(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const order = weightOf(a.charAt(at)) - weightOf(b.charAt(at));
    if (order !== 0) return order;
  }
  return 0;
}

function weightOf(character: string): number {
  if (character === '~') return -1;
  if (character === '') return 0;
  return character.charCodeAt(0) + (/[a-zA-Z]/.test(character) ? 0 : 256);
}

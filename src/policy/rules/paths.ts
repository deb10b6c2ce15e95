import type { CheckedImage } from '../check-image.js';
import { type LinkView, linkView } from '../link-view.js';
import type { Policy } from '../policy.js';
import type { LayerScan, ScannedEntry } from '../scan.js';
import type { Violation } from '../violation.js';

/** Where layers may have something, and where they may delete. Paths count as what they lead to. */
export function pathRules(checked: CheckedImage, policy: Policy): readonly Violation[] {
  const { maxPathBytes = Infinity, maxDepth = Infinity } = policy;
  const violations = maxPathBytes === Infinity && maxDepth === Infinity ? [] : [...lengths(checked, policy)];
  if (policy.whiteouts === undefined && policy.writablePrefixes === undefined) return violations;
  const view = linkView();
  for (const [layer, scan] of checked.scans.entries()) {
    const isBase = layer < (checked.base?.layers ?? 0);
    for (const one of scan === undefined ? [] : placesIn(scan, view))
      if (!isBase) violations.push(...problemsOf(one, policy).map((problem) => ({ ...problem, layer })));
  }
  return violations;
}

/** An entry, or what it deletes, and where that is: undefined for links that go in circles. */
interface Placed {
  readonly entry: ScannedEntry;
  readonly deletes: boolean;
  readonly place: string | undefined;
}

/** Deletions of a layer are meant for the layers below: they come first, wherever they stand. */
function* placesIn({ entries }: LayerScan, view: LinkView): Generator<Placed> {
  for (const entry of entries) {
    const deleted = deletedBy(entry.path);
    if (deleted === undefined) continue;
    const place = view.placeOf(deleted.path);
    yield { entry, deletes: true, place };
    if (place !== undefined) view.remove(place, deleted.inside);
  }
  for (const entry of entries) {
    if (deletedBy(entry.path) !== undefined) continue;
    const place = view.placeOf(entry.path);
    yield { entry, deletes: false, place };
    if (place !== undefined) view.put(place, entry.type, entry.type === 'symlink' ? (entry.link ?? '') : undefined);
  }
}

/** What a whiteout deletes. All that has such a name anywhere in its path counts as one. */
function deletedBy(path: string): { readonly path: string; readonly inside: boolean } | undefined {
  if (!path.includes('.wh.')) return undefined;
  const names = path.split('/');
  const at = names.findIndex((name) => name.startsWith('.wh.'));
  if (at < 0) return undefined;
  const directory = names.slice(0, at).join('/');
  const name = names[at] ?? '';
  if (name.startsWith('.wh..wh.')) return { path: directory, inside: true };
  return { path: [...names.slice(0, at), name.slice('.wh.'.length)].join('/'), inside: false };
}

function problemsOf({ entry, deletes, place }: Placed, { whiteouts, writablePrefixes }: Policy): readonly Violation[] {
  const path = `/${entry.path}`;
  const got = place === undefined ? 'links that go in circles' : `/${place}`;
  const isIn = (prefixes: readonly string[]) => place !== undefined && prefixes.some((one) => isBelow(place, one));
  const problems: Violation[] = [];
  if (deletes && whiteouts !== undefined && (whiteouts === 'none' || !isIn(whiteouts.within))) {
    const limit = whiteouts === 'none' ? whiteouts : whiteouts.within;
    problems.push({ code: 'RST_WHITEOUT', path, got, limit, hint: 'do not delete files of lower layers' });
  }
  if (writablePrefixes !== undefined && !isIn(writablePrefixes) && !isAbove(entry, place, writablePrefixes)) {
    const hint = 'let the app have its files where it may';
    problems.push({ code: 'RST_WRITABLE', path, got, limit: writablePrefixes, hint });
  }
  return problems;
}

function isBelow(place: string, prefix: string): boolean {
  return `/${place}/`.startsWith(`${prefix.replace(/\/+$/, '')}/`);
}

/** Directories on the way to where the app may write are in every layer. */
function isAbove({ type }: ScannedEntry, place: string | undefined, prefixes: readonly string[]): boolean {
  return type === 'directory' && place !== undefined && prefixes.some((one) => isBelow(one.slice(1), `/${place}`));
}

function* lengths(
  { scans }: CheckedImage,
  { maxPathBytes = Infinity, maxDepth = Infinity }: Policy,
): Generator<Violation> {
  for (const [layer, scan] of scans.entries())
    for (const { path } of scan?.entries ?? []) {
      const [bytes, depth] = [Buffer.byteLength(path), path.split('/').length];
      const found = { layer, path: `/${path}`, hint: 'give the file a shorter path' };
      if (bytes > maxPathBytes) yield { code: 'RST_PATH_BYTES', ...found, got: bytes, limit: maxPathBytes };
      if (depth > maxDepth) yield { code: 'RST_DEPTH', ...found, got: depth, limit: maxDepth };
    }
}

import type { Replacing } from '../blobs/images.js';
import type { Digest } from '../values/digest.js';
import { fail, isFailure } from '../values/error.js';
import { previousTag } from '../values/previous-tag.js';
import { digestOfTag } from './head.js';
import { type FoundManifest, getManifest, pushScope, type Repository } from './manifests.js';
import { pushManifest, putOnce } from './push-manifest.js';

export interface TagMove {
  readonly tag: string;
  readonly manifest: FoundManifest;
  /** What the tag must stand for still; whatever it likes if absent. */
  readonly replacing: Replacing | undefined;
  /** Sees to it that all is there that the manifest names, believing nothing. */
  readonly repair: () => Promise<unknown>;
}

/**
 * Looks whether a tag may be moved: with `replacing` it must stand for that still, which is then given a tag of its own, if it
 * is to be kept. Gives what the tag stands for. Throws `REGISTRY_TAG_MOVED`.
 */
export async function prepareMove(to: Repository, move: TagMove): Promise<Digest | undefined> {
  const { tag, manifest, replacing } = move;
  if (replacing === undefined) return undefined;
  const before = await lookAtTag(to, tag);
  if (before === manifest.descriptor.digest) return before;
  if (before !== replacing.expected) throw moved(to, tag, replacing.expected, before);
  if (replacing.kept !== undefined)
    await pushManifest(to, replacing.kept, isThere, previousTag(tag, manifest.descriptor.digest));
  return before;
}

/**
 * Lets a tag stand for a manifest when the registry has all that it names, right after `prepareMove`, which gave `before`: the
 * registry is told to compare if it can (`If-Match`), and the tag is looked at again afterwards, however that ended. What is
 * left is the moment between these requests, and who wins there is found out.
 * Throws `REGISTRY_TAG_MOVED`, and what `putOnce` throws, with `outcome: unknown` in its details where nobody can tell.
 */
export async function moveTag(to: Repository, move: TagMove, before: Digest | undefined): Promise<void> {
  const { tag, manifest, replacing } = move;
  const { digest } = manifest.descriptor;
  if (before === digest) return;
  const failed = await putUnder(to, move).catch((error: unknown) => {
    if (isRefused(error)) throw error;
    return error;
  });
  const now = await getManifest(to, tag, asPusher(to)).catch((error: unknown) => {
    throw unknownOutcome(failed ?? error);
  });
  const after = now?.descriptor.digest;
  if (after !== digest) throw failed ?? moved(to, tag, replacing?.expected ?? digest, after);
}

/** Requires that a tag still stands for this. Throws `REGISTRY_TAG_MOVED`. */
export async function requireTag(to: Repository, tag: string, expected: Digest): Promise<void> {
  const found = await lookAtTag(to, tag);
  if (found !== expected) throw moved(to, tag, expected, found);
}

/** What a tag stands for, asked with the right to push. */
export function lookAtTag(to: Repository, tag: string): Promise<Digest | undefined> {
  return digestOfTag(to, tag, asPusher(to));
}

/** What a tag stands for is in the repository with all that it names. */
const isThere = async () => undefined;

async function putUnder(to: Repository, { tag, manifest, replacing, repair }: TagMove): Promise<void> {
  const expected = replacing?.expected;
  const headers = expected === undefined ? {} : { headers: { 'if-match': `"${expected}"` } };
  const { outcome } = await putOnce(to, tag, manifest, { isLast: false, ...headers });
  if (outcome !== 'misses') return;
  await repair();
  const now = expected && (await lookAtTag(to, tag));
  if (now !== expected) throw moved(to, tag, expected, now);
  await putOnce(to, tag, manifest, { isLast: true, ...headers });
}

/** True for a clear no; a server that fails, or a connection that breaks, may have done it all the same. */
function isRefused(error: unknown): boolean {
  if (!isFailure(error)) return false;
  const { status } = error.details;
  return error.code === 'REGISTRY_TAG_MOVED' || (typeof status === 'number' && status < 500);
}

function asPusher({ repository }: Repository) {
  return { scopes: [pushScope(repository)], doing: `push ${repository}` };
}

function unknownOutcome(error: unknown): unknown {
  if (!isFailure(error)) return error;
  const { code, message: what, why, fix, details, cause } = error;
  const told = [why, 'whether the tag was moved could not be found out'].filter(Boolean).join('\n');
  return fail(code, { what, why: told, fix, details: { ...details, outcome: 'unknown' }, cause });
}

function moved({ host, repository }: Repository, tag: string, expected: Digest | undefined, found: Digest | undefined) {
  return fail('REGISTRY_TAG_MOVED', {
    what: `somebody else moved ${host}/${repository}:${tag} at the same time`,
    why: `${expected} expected, ${found ?? 'nothing'} found`,
    fix: 'look at what it is now, and run the command again if you still want to',
    details: { expected: expected ?? null, found: found ?? null },
  });
}

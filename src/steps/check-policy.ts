import type { BlobReader } from '../blobs/store.js';
import type { Cache } from '../cache/cache.js';
import { readScan } from '../layers/layer-scan.js';
import { digestOfImage, type Image, type Layer, layersOf, platformOf } from '../oci/image.js';
import { compressionOf } from '../oci/media-types.js';
import { checkImage, needsScans } from '../policy/check-image.js';
import { policyOf } from '../policy/parse-policy.js';
import type { Policy } from '../policy/policy.js';
import { type PresetName, presetNamed } from '../policy/presets.js';
import type { KnownBase, LayerScan } from '../policy/scan.js';
import type { Violation } from '../policy/violation.js';
import type { Digest } from '../values/digest.js';
import { fail, type Json } from '../values/error.js';
import { step } from '../values/events.js';
import { formatPlatform } from '../values/platform.js';
import type { Tools } from './tools.js';

/** What an image must keep to, and the time at which it must. */
export interface PolicyRequest {
  readonly policy: Policy | PresetName;
  /** Milliseconds since 1970, for `created` and `bases.maxAgeDays`. */
  readonly now?: number | undefined;
}

/** A policy that was looked at. */
export interface SettledPolicy {
  readonly policy: Policy;
  readonly now: number;
}

/** What was found of one image. */
export interface PolicyReport {
  readonly digest: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly violations: readonly Violation[];
  readonly base: KnownBase | undefined;
}

/** Looks at a policy before any work is done for it. Throws `POLICY_INVALID`. */
export function settlePolicy({ policy: given, now }: PolicyRequest): SettledPolicy {
  const named = typeof given === 'string' ? presetNamed(given) : given;
  const policy = policyOf({ value: (named ?? given) as unknown as Json, at: 'policy', code: 'POLICY_INVALID' });
  const asks = policy.created !== undefined || policy.bases?.maxAgeDays !== undefined;
  if (asks && now === undefined)
    throw fail('POLICY_INVALID', { what: 'the policy asks how old things are', why: '`now` is missing' });
  return { policy, now: now ?? 0 };
}

/** Checks an image. Layers are read only where the policy asks what they hold, and each of them once for all times. */
export async function checkPolicy(
  { image, blobs, base }: { readonly image: Image; readonly blobs: BlobReader; readonly base: KnownBase | undefined },
  { policy, now }: SettledPolicy,
  cache: Cache,
  tools: Tools,
): Promise<PolicyReport> {
  const platform = escaped(formatPlatform(platformOf(image)));
  const scans = needsScans(policy)
    ? await step(tools.on, 'check', platform, () => scansOf(image, blobs, cache, tools))
    : [];
  const violations = checkImage({ image, scans, base, now }, policy);
  return { digest: digestOfImage(image), platform, violations, base };
}

/** What the layers hold, lowest first; undefined for one that is not there to be read, or is no layer. */
export async function scansOf(
  image: Image,
  blobs: BlobReader,
  cache: Cache,
  { signal }: Pick<Tools, 'signal'>,
): Promise<readonly (LayerScan | undefined)[]> {
  const scans: (LayerScan | undefined)[] = [];
  for (const layer of layersOf(image))
    scans.push(isReadable(layer) ? await readScan({ directory: cache.inventories, layer, blobs, signal }) : undefined);
  return scans;
}

/** Foreign layers are nobody's to fetch. */
function isReadable({ descriptor: { urls, mediaType } }: Layer): boolean {
  return urls === undefined && compressionOf(mediaType) !== undefined;
}

/** Throws `POLICY_VIOLATED` with all that speaks against these images. */
export function requirePolicy(reports: readonly PolicyReport[], fleet: readonly Violation[] = []): void {
  const told = [...reports.flatMap(({ violations }) => violations), ...fleet];
  if (told.length === 0) return;
  const lines = told.slice(0, MOST_TOLD).map(describeViolation);
  const more = told.length > MOST_TOLD ? [`and ${told.length - MOST_TOLD} more`] : [];
  throw fail('POLICY_VIOLATED', {
    what: `the image does not keep to the policy, so nothing was written`,
    why: [...lines, ...more].join('\n'),
    fix: told[0]?.hint,
    details: { violations: told as unknown as Json },
  });
}

const MOST_TOLD = 10;

/** A violation as a line of text, without control characters. */
export function describeViolation({ code, layer, path, got, limit }: Violation): string {
  const where = [layer === undefined ? undefined : `layer ${layer}`, path].filter((part) => part !== undefined);
  const text = `${[code, ...where].join(' ')}: ${wordsOf(got)}; allowed: ${wordsOf(limit)}`;
  return escaped(text);
}

/** What images say goes to terminals, and must not tell them what to do. */
function escaped(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function wordsOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((item) => wordsOf(item as Json)).join(', ');
  return JSON.stringify(value);
}

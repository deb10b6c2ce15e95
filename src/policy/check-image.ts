import { type Image, layersOf } from '../oci/image.js';
import type { Policy } from './policy.js';
import { ambiguities } from './rules/ambiguities.js';
import { baseRules } from './rules/base.js';
import { configRules } from './rules/config.js';
import { fileRules } from './rules/files.js';
import { labelRules } from './rules/labels.js';
import { pathRules } from './rules/paths.js';
import { sizeRules } from './rules/sizes.js';
import { userRules } from './rules/user.js';
import type { KnownBase, LayerScan } from './scan.js';
import { sorted, type Violation } from './violation.js';

/** An image with all that a policy can ask of it. */
export interface CheckedImage {
  readonly image: Image;
  /** What each layer holds, lowest first; undefined for one that nobody can look into. May be empty where `needsScans` says no. */
  readonly scans: readonly (LayerScan | undefined)[];
  /** Where nothing is known of a base, all layers count as the app's. */
  readonly base?: KnownBase | undefined;
  /** Milliseconds since 1970, for what a policy says of ages. */
  readonly now: number;
}

const SCANNED = [
  'maxUncompressedBytes',
  'maxCompressionRatio',
  'maxFiles',
  'maxPathBytes',
  'maxDepth',
  'setuid',
  'fileCapabilities',
  'devices',
  'worldWritable',
  'whiteouts',
  'writablePrefixes',
] as const satisfies readonly (keyof Policy)[];

/** True where a policy asks what the layers hold. */
export function needsScans(policy: Policy): boolean {
  return SCANNED.some((field) => policy[field] !== undefined);
}

/**
 * What of an image a policy does not allow, sorted; nothing for an image that keeps to it. Equal for equal images, however
 * their layers are compressed, but for what the policy says of stored bytes and media types. Of each code at most 100 are
 * listed, and one more that tells how many are left out. Throws `IMAGE_INVALID` where manifest and config disagree.
 */
export function checkImage(checked: CheckedImage, policy: Policy): readonly Violation[] {
  layersOf(checked.image);
  const config = checked.image.config.value.config ?? {};
  return sorted([
    ...ambiguities(checked.image),
    ...sizeRules(checked, policy),
    ...configRules(checked, policy),
    ...userRules(config.User ?? '', policy.users),
    ...labelRules(checked.image, policy.labels),
    ...baseRules(checked, policy.bases),
    ...(needsScans(policy)
      ? [...unreadable(checked), ...fileRules(checked, policy), ...pathRules(checked, policy)]
      : []),
  ]);
}

/** What cannot be looked into is not taken to be well. */
function unreadable({ image, scans }: CheckedImage): readonly Violation[] {
  return layersOf(image).flatMap(({ descriptor }, layer) =>
    scans[layer] === undefined
      ? [
          {
            code: 'RST_UNREADABLE' as const,
            layer,
            got: descriptor.mediaType,
            limit: 'a layer that can be read',
            hint: 'ship the layer with the image, as a tar, plain or compressed with gzip or zstd',
          },
        ]
      : [],
  );
}

/** What is refused: everywhere, or everywhere but in the base. */
export type Ban = 'forbid' | 'base-only';

/**
 * What an image must keep to. A member that is absent restricts nothing. All numbers are whole, and an image that is exactly
 * on a limit keeps to it. Paths are absolute.
 */
export interface Policy {
  /** Of all layers and the config, as they are stored. */
  readonly maxImageBytes?: number;
  /** Of the tars of all layers. */
  readonly maxUncompressedBytes?: number;
  /** How many times larger than the stored bytes the tar of a layer may be. */
  readonly maxCompressionRatio?: number;
  readonly maxLayers?: number;
  /** Of one layer, as it is stored. */
  readonly maxLayerBytes?: number;
  /** Entries of all layers that are not directories. */
  readonly maxFiles?: number;
  /** Of one path, without the slash that it begins with. */
  readonly maxPathBytes?: number;
  /** Of one path, in names: /app/a has two. */
  readonly maxDepth?: number;
  /** Such as linux/amd64. */
  readonly platforms?: readonly string[];
  readonly ports?: { readonly min?: number; readonly max?: number; readonly allow?: readonly number[] };
  /** Files with a setuid or a setgid bit. */
  readonly setuid?: Ban;
  readonly fileCapabilities?: Ban;
  readonly devices?: Ban;
  /** Files that everybody may write to, and such directories without the sticky bit. */
  readonly worldWritable?: Ban;
  readonly users?: { readonly forbidRoot?: boolean; readonly minUid?: number; readonly requireNumeric?: boolean };
  /** The volumes that an image may name. */
  readonly volumes?: readonly string[];
  readonly foreignLayers?: 'forbid';
  /** Of layers. */
  readonly mediaTypes?: readonly string[];
  /** Where layers of the app may delete. */
  readonly whiteouts?: 'none' | { readonly within: readonly string[] };
  /** Where layers of the app may have anything. */
  readonly writablePrefixes?: readonly string[];
  /** `denyNames` may end in `*`; `maxBytes` is of all variables together. */
  readonly env?: { readonly denyNames?: readonly string[]; readonly maxBytes?: number };
  /** Of labels and annotations; if it is there, control characters and values above 64 KiB are refused as well. */
  readonly labels?: { readonly reservedPrefixes?: readonly string[] };
  /** The programs that an image may start with. */
  readonly entrypoint?: readonly string[];
  readonly stopSignal?: readonly string[];
  readonly healthcheck?: 'forbid' | 'require';
  readonly bases?: {
    /** Digests, and names in registries with or without a tag. */
    readonly allow?: readonly string[];
    /** Among all images that are checked at once. */
    readonly maxDistinct?: number;
    readonly maxAgeDays?: number;
  };
  readonly created?: { readonly maxSkewSeconds: number };
}

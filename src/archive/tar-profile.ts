/** What is let in of a kind of archive, beyond the grammar that all of them share. */
export interface TarProfile {
  /** A name that begins with a slash means a place below the root; else it is refused. */
  readonly absolute: boolean;
  /** Any name that Linux can have; else no backslashes, drive letters and control characters. */
  readonly anyName: boolean;
  /** Devices and fifos. */
  readonly special: boolean;
  /** Files that run with another's rights, and attributes that the kernel or overlayfs obeys. */
  readonly privileged: boolean;
  /** Names that delete something of a lower layer. */
  readonly whiteouts: boolean;
  /**
   * A path may be there again, and lead through links: whoever unpacks it confines it. Else each path is there once, none
   * leads through a link, no link leads out, and a hard link's file comes before it.
   */
  readonly layered: boolean;
  /** The two blocks at the end may be missing, as `umoci insert` leaves them out: a digest proves that the tar is whole. */
  readonly endless: boolean;
  /** The most bytes that the tar may have. */
  readonly most: number;
  readonly mostEntries: number;
}

/** Layers of images that anybody has made, and what packaging tools write. */
export const LAYER: TarProfile = {
  absolute: true,
  anyName: true,
  special: true,
  privileged: true,
  whiteouts: true,
  layered: true,
  endless: true,
  most: Number.POSITIVE_INFINITY,
  mostEntries: 1_000_000,
};

/** Layers that pack-build writes for an app. */
export const APP_LAYER: TarProfile = {
  ...LAYER,
  absolute: false,
  special: false,
  privileged: false,
  whiteouts: false,
  layered: false,
  endless: false,
};

/** Archives with an image in them: documents, blobs and layers, and links among them. */
export const IMAGE_ARCHIVE: TarProfile = { ...APP_LAYER, anyName: false, privileged: true, whiteouts: true };

/** Trees that somebody packed: buildpacks. Modes are cut down when they are unpacked. */
export const TREE: TarProfile = { ...IMAGE_ARCHIVE };

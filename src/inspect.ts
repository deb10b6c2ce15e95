import { blobsIn } from './cache/cache.js';
import type { ImageConfig } from './oci/documents.js';
import { digestOfImage, type Image, type Layer, layersOf, platformOf } from './oci/image.js';
import { type Split, split } from './oci/split.js';
import type { LayerScan } from './policy/scan.js';
import { scansOf } from './steps/check-policy.js';
import { inCache } from './steps/in-cache.js';
import { openSource } from './steps/open-place.js';
import { readPlace } from './steps/read-place.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import type { Digest } from './values/digest.js';
import { isFailure } from './values/error.js';
import type { Platform } from './values/platform.js';

/** Which image to look at. */
export interface InspectRequest {
  readonly image: string;
  readonly platform: Platform;
  /** Tell what each layer holds, too: then layers are read, each once for all times. */
  readonly files?: boolean | undefined;
  readonly cacheDir: string;
}

/** What an image is made of. */
export interface Inspection {
  readonly digest: Digest;
  readonly name: string | undefined;
  /** The index that the image was chosen from. */
  readonly index: Digest | undefined;
  readonly platform: Platform;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
  readonly image: Image;
  /** Base and app, for an image of ours that is as it was made. */
  readonly parts: Split | undefined;
  /** Why there are no parts. */
  readonly notOurs: string | undefined;
  /** What each layer holds, lowest first, if it was asked for; undefined for a layer that nobody can read. */
  readonly scans: readonly (LayerScan | undefined)[] | undefined;
}

/** Reads an image from any place and tells what it is made of; no layer is read, unless with `files`. Throws `IMAGE_NOT_FOUND`, `IMAGE_INVALID`, `LAYOUT_INVALID`. */
export async function inspect(request: InspectRequest, givenTools: GivenTools): Promise<Inspection> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const store = blobsIn(cache);
    const { image, name, index, blobs } = await openSource(await readPlace(request.image), store, tools).find(
      request.platform,
    );
    const { parts, notOurs } = takeApart(image);
    return {
      digest: digestOfImage(image),
      name,
      index,
      platform: platformOf(image),
      layers: layersOf(image),
      config: image.config.value,
      image,
      parts,
      notOurs,
      scans: request.files ? await scansOf(image, blobs, cache, tools) : undefined,
    };
  });
}

function takeApart(image: Image): Pick<Inspection, 'parts' | 'notOurs'> {
  try {
    return { parts: split(image), notOurs: undefined };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { parts: undefined, notOurs: [error.message, error.why].filter(Boolean).join(': ') };
  }
}

import type { FoundWhole } from './blobs/images.js';
import { unionOf } from './blobs/union.js';
import { blobsIn } from './cache/cache.js';
import { digestOfWhole, type ImageIndex, imagesOf } from './oci/image-index.js';
import { indexOf } from './oci/index-of.js';
import { inCache } from './steps/in-cache.js';
import { parseTargets, putImage } from './steps/put-image.js';
import { findSubject, tellOfDropped } from './steps/subject.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import type { Digest } from './values/digest.js';

/** Which images to put into an index, and where it goes. */
export interface IndexRequest {
  /** Places of images. Of an index, all images are taken. */
  readonly images: readonly string[];
  /** Places to write the index to, with its images. */
  readonly to: readonly string[];
  readonly cacheDir: string;
}

export interface IndexResult {
  readonly digest: Digest;
  readonly references: readonly string[];
  readonly index: ImageIndex;
}

/**
 * Makes one index of images for several platforms, wherever they are, and writes it with all of them. The same images give
 * the same digest. Throws `INDEX_INVALID`, and what reading and writing throw; nothing is written unless all images fit.
 */
export async function makeIndex(request: IndexRequest, givenTools: GivenTools): Promise<IndexResult> {
  const tools = settleTools(givenTools);
  return inCache(request.cacheDir, tools.signal, async (cache) => {
    const store = blobsIn(cache);
    const found: FoundWhole[] = [];
    for (const image of request.images) found.push(await findSubject(image, {}, store, tools));
    const index = indexOf(found.flatMap(({ whole }) => imagesOf(whole)));
    for (const { whole } of found) tellOfDropped(whole, index, tools.on);
    const places = await parseTargets(request.to, tools, index);
    const references = await putImage(index, unionOf(...found.map(({ blobs }) => blobs)), places, tools);
    return { digest: digestOfWhole(index), references, index };
  });
}

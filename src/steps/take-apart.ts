import type { Cache } from '../cache/cache.js';
import { moveForeign } from '../oci/foreign.js';
import { digestOfImage, type Image, labelsOf, layersOf, platformOf } from '../oci/image.js';
import { appOnto, ownParts, type Parts } from '../oci/parts.js';
import { RECORD_LABEL } from '../oci/record.js';
import { type Moved, splitMoved } from '../oci/split.js';
import { fail, isFailure } from '../values/error.js';
import { type ApartRequest, baseBelow, type NamedBelow } from './base-below.js';
import type { Tools } from './tools.js';

/**
 * Takes an image apart where its base ends: one of ours by its record; another by the base that is named, else by what
 * CNB's lifecycle or the annotations `org.opencontainers.image.base.*` say. It is always proved on the layers. Throws
 * `REBASE_NOT_OURS`, `REBASE_RECORD_INVALID`, `REBASE_SEAM_BROKEN`, `REBASE_OLD_BASE_LOST`, and what reading throws.
 */
export async function takeApart(image: Image, request: ApartRequest, cache: Cache, tools: Tools): Promise<Parts> {
  if (labelsOf(image)[RECORD_LABEL] !== undefined) return ours(image, request, cache, tools);
  const { below, name } = await baseBelow(image, request, cache, tools);
  const layers = layersOf(image);
  return {
    base: baseOf(image, { below, name }),
    app: {
      platform: platformOf(image),
      user: image.config.value.config?.User ?? '',
      layers: layers.slice(below.layers),
    },
    onto: (next) => moveForeign(image, below, next),
  };
}

function baseOf(image: Image, { below, name }: NamedBelow): Parts['base'] {
  const digest = below.image === undefined ? undefined : digestOfImage(below.image);
  return { name, digest, layers: layersOf(image).slice(0, below.layers) };
}

async function ours(image: Image, request: ApartRequest, cache: Cache, tools: Tools): Promise<Parts> {
  try {
    return ownParts(image);
  } catch (error) {
    if (!isFailure(error, 'REBASE_SEAM_BROKEN')) throw error;
    const parts = await movedByOthers(image, request, cache, tools);
    if (parts !== undefined) return parts;
    const { code, message: what, why, details } = error;
    throw fail(code, {
      what,
      why,
      fix: 'somebody changed it after it was built: build it again',
      details,
      cause: error,
    });
  }
}

/**
 * An image of ours that another tool has put on another base: the record tells of the old one. Its app is still whole, and
 * what that tool wrote down of the new base proves the rest. Undefined where that is not so.
 */
async function movedByOthers(
  image: Image,
  request: ApartRequest,
  cache: Cache,
  tools: Tools,
): Promise<Parts | undefined> {
  try {
    const { app, below }: Moved = splitMoved(image);
    const named = await baseBelow(image, request, cache, tools, below);
    if (named.below.layers !== below) return undefined;
    const base = baseOf(image, named);
    tools.on({
      type: 'notice',
      code: 'MOVED_BY_OTHERS',
      message: `another tool has put the image on another base since it was built (${[base.name, base.digest].filter(Boolean).join(' ') || 'without a name'}): its record tells of the old one, so the labels and annotations of that tool are followed`,
    });
    return { base, app, onto: (next) => appOnto(app, next) };
  } catch (error) {
    if (isFailure(error, 'REBASE_SEAM_BROKEN', 'REBASE_NOT_OURS', 'REBASE_OLD_BASE_LOST')) return undefined;
    throw error;
  }
}

import { layersOf } from '../../oci/image.js';
import type { CheckedImage } from '../check-image.js';
import type { Policy } from '../policy.js';
import type { Violation, ViolationCode } from '../violation.js';

/** How much there may be of what can be counted. */
export function sizeRules({ image, scans }: CheckedImage, policy: Policy): readonly Violation[] {
  const layers = layersOf(image).map(({ descriptor }) => descriptor.size);
  const files = scans.map((scan) => scan?.entries.filter(({ type }) => type !== 'directory').length ?? 0);
  const tars = scans.map((scan) => scan?.bytes ?? 0);
  const stored = sum(layers) + image.config.descriptor.size;
  return [
    ...above('RST_IMAGE_BYTES', stored, policy.maxImageBytes, 'leave out what the app does not need to run'),
    ...above('RST_UNCOMPRESSED_BYTES', sum(tars), policy.maxUncompressedBytes, 'leave out what the app does not need'),
    ...above('RST_LAYERS', layers.length, policy.maxLayers, 'use a base with fewer layers'),
    ...above('RST_FILES', sum(files), policy.maxFiles, 'leave out files, or put them into an archive'),
    ...layers.flatMap((size, layer) =>
      above('RST_LAYER_BYTES', size, policy.maxLayerBytes, 'put less into the layer').map((one) => ({ ...one, layer })),
    ),
    ...tars.flatMap((bytes, layer) =>
      above('RST_COMPRESSION_RATIO', ratio(bytes, layers[layer] ?? 0), policy.maxCompressionRatio, BOMB).map((one) => ({
        ...one,
        layer,
      })),
    ),
  ];
}

const BOMB = 'make sure that the layer is what it should be: it unpacks to far more than is stored';

function above(code: ViolationCode, got: number, limit: number | undefined, hint: string): readonly Violation[] {
  return limit === undefined || got <= limit ? [] : [{ code, got, limit, hint }];
}

/** To two places, never rounded down to a limit that is exceeded. */
function ratio(bytes: number, stored: number): number {
  return Math.ceil((100 * bytes) / Math.max(stored, 1)) / 100;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

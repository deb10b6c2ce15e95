import type { Layer } from '../oci/image.js';
import { isImageIndex } from '../oci/image-index.js';
import type { RebasePlan } from '../oci/rebase-plan.js';
import type { RebaseResult } from '../rebase.js';
import type { Transfer } from '../steps/transfers.js';
import type { Descriptor } from '../values/descriptor.js';
import { formatPlatform } from '../values/platform.js';
import { ageOf } from './age.js';

/** The result of a rebase as data: an image has a plan, an index a list of them. */
export function rebaseJson(result: RebaseResult, now: number): object {
  const { digest, previous, references, image, transfers, smoke = null } = result;
  const plans = result.plans.map((plan) => planJson(plan, now));
  const told = isImageIndex(image) ? { plans } : { plan: plans[0] };
  return { digest, previous, references, ...told, transfers: transfers.map(transferJson), smoke };
}

function planJson({ platform, from, to, layersOut, layersIn, ...plan }: RebasePlan, now: number): object {
  const aged = (base: RebasePlan['from']) => ({ ...base, ageSeconds: ageOf(base.created, now) });
  return {
    platform: formatPlatform(platform),
    from: aged(from),
    to: aged(to),
    layersOut: layersOut.map(layerJson),
    layersIn: layersIn.map(layerJson),
    ...plan,
  };
}

function layerJson({ diffId, descriptor }: Layer): object {
  return { diffId, ...blobJson(descriptor) };
}

function transferJson({ lacks, ...transfer }: Transfer): object {
  return { ...transfer, lacks: lacks.map(({ descriptor, way }) => ({ ...blobJson(descriptor), way })) };
}

function blobJson({ digest, size }: Descriptor): object {
  return { digest, size };
}

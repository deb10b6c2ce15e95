import { fail } from '../values/error.js';
import { type Detection, type DetectOptions, detect } from './detect.js';
import type { PlacedBuildpack, ScriptTools } from './script.js';

export interface Chosen<T extends PlacedBuildpack> {
  readonly buildpack: T;
  readonly detection: Detection;
}

/**
 * Tries candidates in order on the pristine source; the first that applies is the only one used (R52). Throws
 * `DETECT_NONE_MATCHED` with what each of them said.
 */
export async function autoDetect<T extends PlacedBuildpack>(
  candidates: readonly T[],
  tools: ScriptTools,
  options: DetectOptions & { readonly source: string },
): Promise<Chosen<T>> {
  const refusals: (readonly [string, Detection])[] = [];
  for (const buildpack of candidates) {
    const detection = await detect(buildpack, tools, { ...options, quiet: true });
    if (detection.applies) return { buildpack, detection };
    refusals.push([buildpack.id, detection]);
  }
  throw noneMatched(refusals, options.source);
}

/** The error for an app in which none of these sees anything, with what each of them said. */
export function noneMatched(
  refusals: readonly (readonly [string, Pick<Detection, 'status' | 'reason'>])[],
  source: string,
) {
  const width = Math.max(0, ...refusals.map(([id]) => id.length));
  const rows = refusals.map(([id, { status, reason }]) => {
    const said = reason[0] === undefined ? '' : `   "${reason[0].trim()}"`;
    return `${id.padEnd(width)}   exit ${status}${said}`;
  });
  return fail('DETECT_NONE_MATCHED', {
    what: `none of ${refusals.length} buildpacks recognised the app in ${source}`,
    why: rows.join('\n'),
    fix: `add the file one of them looks for, or choose: --buildpack ${refusals[0]?.[0] ?? './my-buildpack'}`,
    details: { buildpacks: refusals.map(([id]) => id) },
  });
}

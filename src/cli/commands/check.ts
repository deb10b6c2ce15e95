import { type CheckedPlace, type CheckResult, check } from '../../check.js';
import { describeViolation } from '../../steps/check-policy.js';
import { parsePlatform } from '../../values/platform.js';
import { exitStatusOfCode } from '../exit-status.js';
import type { CheckFlags } from '../flags/check.js';
import { policyRequest } from '../policy-request.js';
import type { Outcome, Session } from '../session.js';

export async function runCheck(images: readonly string[], flags: CheckFlags, session: Session): Promise<Outcome> {
  const { policy, now } = await policyRequest(flags.policy);
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const request = { images, policy, now, platform, base: flags.base, cacheDir: session.cacheDir };
  const result = await check(request, session.tools);
  return {
    data: { ...result, images: result.images.map(imageJson) },
    text: describe(result).join('\n'),
    status: result.ok ? 0 : exitStatusOfCode('POLICY_VIOLATED'),
  };
}

function imageJson({ base, ...checked }: CheckedPlace): object {
  return { ...checked, base: base ?? null };
}

function describe({ images, fleet }: CheckResult): readonly string[] {
  return [...images.flatMap(describeImage), ...fleet.flatMap(withHint)];
}

function describeImage({ image, platform, digest, violations }: CheckedPlace): readonly string[] {
  const verdict = violations.length === 0 ? 'keeps to the policy' : `breaks the policy, ${violations.length} times`;
  return [`${image} (${platform}, ${digest}) ${verdict}`, ...violations.flatMap(withHint)];
}

function withHint(violation: CheckResult['fleet'][number]): readonly string[] {
  return [`  ${describeViolation(violation)}`, `    fix: ${violation.hint}`];
}

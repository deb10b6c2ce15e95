import type { RebasePlan } from '../../oci/rebase-plan.js';
import { rebase } from '../../rebase.js';
import { parsePlatform } from '../../values/platform.js';
import { describePlans, describeTransfer, FEW } from '../describe-plan.js';
import { hostPlatform } from '../environment.js';
import { exitStatusOfCode } from '../exit-status.js';
import type { RebaseFlags } from '../flags/rebase.js';
import { rebaseJson } from '../plan-json.js';
import type { Outcome, Session } from '../session.js';

export async function runRebase(
  [image = '']: readonly string[],
  flags: RebaseFlags,
  session: Session,
): Promise<Outcome> {
  if (flags.undo) return (await import('./undo.js')).runUndo(image, flags, session);
  const result = await rebase(
    {
      image,
      base: flags.base,
      oldBase: flags.oldBase,
      to: flags.to,
      platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform),
      planOnly: flags.plan,
      policy: flags.policy === undefined ? undefined : await readPolicyOf(flags.policy),
      trustAttached: flags.trustAttached,
      smoke: flags.smoke === undefined ? undefined : { command: flags.smoke, platform: hostPlatform() },
      waivers: {
        stackChange: flags.allowStackChange,
        distroChange: flags.allowDistroChange,
        uidChange: flags.allowUidChange,
        abiBreak: flags.allowAbiBreak,
        downgrade: flags.allowDowngrade,
        notRebasable: flags.allowNotRebasable,
        uploadBase: flags.allowUploadBase,
      },
      cacheDir: session.cacheDir,
    },
    session.tools,
  );
  const data = rebaseJson(result, Date.now());
  if (flags.plan) {
    const lines = [...describePlans(result.plans, Infinity, Date.now()), ...result.transfers.flatMap(describeTransfer)];
    return { data, text: lines.join('\n'), status: statusOf(result.plans) };
  }
  for (const line of describePlans(result.plans, FEW, Date.now())) session.tools.on({ type: 'info', message: line });
  return { data, text: result.references.join('\n') };
}

/** Few ask for a policy, and all would wait for what reads one. */
async function readPolicyOf(name: string) {
  return (await import('../policy-request.js')).policyRequest(name);
}

/** What the rebase itself would end with. */
function statusOf(plans: readonly RebasePlan[]): number {
  const failed = plans.flatMap(({ checks }) => checks).find(({ verdict }) => verdict === 'fails');
  return failed === undefined ? 0 : exitStatusOfCode(failed.code);
}

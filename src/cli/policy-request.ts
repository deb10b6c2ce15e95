import { realpath } from 'node:fs/promises';
import { presetNamed } from '../policy/presets.js';
import { readPolicy } from '../settings/policy-file.js';
import type { PolicyRequest } from '../steps/check-policy.js';
import { fail } from '../values/error.js';

/** What `--policy` asks. An app has no say in it: a file in its directory is refused. Throws `POLICY_INVALID`. */
export async function policyRequest(name: string, app?: string): Promise<PolicyRequest> {
  if (app !== undefined && presetNamed(name) === undefined) await requireOutside(name, app);
  return { policy: await readPolicy(name), now: Date.now() };
}

async function requireOutside(file: string, app: string): Promise<void> {
  const [found, directory] = await Promise.all([file, app].map((path) => realpath(path).catch(() => undefined)));
  if (found === undefined || directory === undefined || !found.startsWith(`${directory}/`)) return;
  throw fail('POLICY_INVALID', {
    what: `the policy ${JSON.stringify(file)} is a file of the app that it is for`,
    why: 'who writes the app would say what holds for it',
    fix: "keep it outside of the app's directory",
  });
}

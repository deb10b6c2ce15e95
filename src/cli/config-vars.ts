import { readFile } from 'node:fs/promises';
import { parseEnvFile } from '../buildpack/env-file.js';
import { fail } from '../values/error.js';
import type { Listener } from '../values/events.js';

/** Config vars from `--env-file` and `--env`; the latter win. Throws `ENV_INVALID`. */
export async function readConfigVars(
  flags: { readonly env?: Readonly<Record<string, string>>; readonly envFile?: readonly string[] },
  on: Listener,
): Promise<Readonly<Record<string, string>>> {
  let vars: Readonly<Record<string, string>> = {};
  for (const file of flags.envFile ?? []) {
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw fail('ENV_INVALID', {
        what: `the env file ${file} cannot be read`,
        why: cause instanceof Error ? cause.message : undefined,
        fix: 'name a file that is there and that you may read, or set the variables with --env NAME=VALUE',
        cause,
      });
    });
    const parsed = parseEnvFile(bytes, file);
    for (const notice of parsed.notices) on({ type: 'notice', ...notice });
    vars = { ...vars, ...parsed.vars };
  }
  return { ...vars, ...flags.env };
}

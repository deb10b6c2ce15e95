import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../../run.js';
import type { Exit } from '../../sandbox/sandbox.js';
import { looksLikeLayout } from '../../steps/read-place.js';
import { exists } from '../../system/exists.js';
import { fail } from '../../values/error.js';
import { parsePlatform } from '../../values/platform.js';
import { defaultPlace } from '../default-place.js';
import { hostPlatform } from '../environment.js';
import type { RunFlags } from '../flags/run.js';
import type { Outcome, Session } from '../session.js';

export async function runRun(
  [image = '', ...args]: readonly string[],
  flags: RunFlags,
  session: Session,
): Promise<Outcome> {
  const exit = await run(
    {
      image: await placeOf(image, session.cwd),
      base: flags.base,
      args,
      env: { ...(flags.port === undefined ? {} : { PORT: flags.port }), ...flags.env },
      platform: flags.platform === undefined ? hostPlatform() : parsePlatform(flags.platform),
      network: flags.network,
      cacheDir: session.cacheDir,
      output: session.json ? 'events' : 'inherit',
    },
    session.tools,
  );
  return { data: { exit: exit.code ?? null, signal: exit.killedBy ?? null }, text: '', status: statusOf(exit) };
}

/** A directory means the image that `build` put into it. */
async function placeOf(image: string, cwd: string): Promise<string> {
  const directory = resolve(cwd, image);
  const found = image === '' ? undefined : await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) return image;
  if (await looksLikeLayout(directory)) {
    throw fail('REFERENCE_INVALID', {
      what: `${image} is not the directory of an app`,
      why: 'it is an image layout',
      fix: `write oci:${image}`,
    });
  }
  if (await exists(join(directory, '.pack-build/image'))) return defaultPlace(directory);
  throw fail('IMAGE_NOT_FOUND', {
    what: `the app ${image} has no image yet`,
    why: `there is no directory ${image}/.pack-build/image, where a build without --to puts it`,
    fix: `pack-build build ${image}`,
  });
}

/** The process's own status; 128 and the signal's number when a signal ended it, as shells have it. */
function statusOf({ code, killedBy }: Exit): number {
  if (code !== undefined) return code;
  return 128 + (constants.signals[killedBy as NodeJS.Signals] ?? 0);
}

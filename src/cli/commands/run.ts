import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Exit } from '../../sandbox/sandbox.js';
import { looksLikeLayout } from '../../steps/read-place.js';
import { exists } from '../../system/exists.js';
import { fail } from '../../values/error.js';
import { parsePlatform } from '../../values/platform.js';
import { hostPlatform } from '../environment.js';
import { assignments, networkOption, platformOption, sandboxOption } from '../options.js';
import type { CommonFlags, Outcome, Session } from '../session.js';
import { defaultPlace } from './build.js';

interface RunFlags extends CommonFlags {
  readonly env?: Readonly<Record<string, string>>;
  readonly base?: string;
  readonly port?: string;
  readonly platform?: string;
  readonly network: 'host' | 'none';
}

export function defineRun(command: Command): Command {
  return command
    .description('start a process of an image in the sandbox')
    .argument('<image>', 'the image (oci:DIR[:TAG], …), or the directory of an app that was built without --to')
    .argument('[command...]', 'a process type, or -- and a command (default: the default process)')
    .option('--base <ref>', 'start it on another base than its own')
    .option('--env <name=value>', 'environment of the process; may be repeated', assignments)
    .option('--port <n>', 'the port to listen on (PORT)')
    .addOption(platformOption())
    .addOption(sandboxOption())
    .addOption(networkOption());
}

export async function runRun(
  [image = '', ...args]: readonly string[],
  flags: RunFlags,
  session: Session,
): Promise<Outcome> {
  const { run } = await import('../../run.js');
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

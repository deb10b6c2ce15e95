import { readFile } from 'node:fs/promises';
import { requireMmdebstrap } from '../base/mmdebstrap.js';
import type { ProbeOptions } from '../probes/attempt.js';
import { askVersion } from '../probes/version.js';
import { type OwnUser, ownUser } from '../system/own-user.js';
import { findProgram, installCommand } from '../system/tools.js';
import { isFailure } from '../values/error.js';
import { doubtful, type Finding, fine } from '../values/finding.js';

const NAME = 'mmdebstrap';

/** Whether a Debian base can be made here, for builds that name no base where there is no way to Heroku's. */
export async function probeMmdebstrap(options: ProbeOptions): Promise<Finding> {
  try {
    await requireMmdebstrap(options.env, options.signal);
  } catch (error) {
    if (!isFailure(error) || error.code === 'INTERRUPTED') throw error;
    return doubtful(
      NAME,
      `${error.message}${error.why === undefined ? '' : `: ${error.why}`}; bases are to be named, or come from a registry`,
      error.fix ?? installCommand('mmdebstrap'),
    );
  }
  const says = (await askVersion('mmdebstrap', options))?.says ?? '';
  const user = await ownUser();
  if (user.uid === 0 || (await mayMapUsers(user, options.env['PATH']))) return fine(NAME, says, { version: says });
  return doubtful(
    NAME,
    `${says}, but ${user.name ?? `uid ${user.uid}`} has no users of its own to make a base with`,
    'sudo apt-get install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"',
    { version: says },
  );
}

async function mayMapUsers({ uid, name }: OwnUser, path: string | undefined): Promise<boolean> {
  const ranges = await readFile('/etc/subuid', 'utf8').catch(() => '');
  const has = ranges.split('\n').some((line) => [name, `${uid}`].includes(line.split(':')[0] ?? ''));
  return has && (await findProgram('newuidmap', path)) !== undefined;
}
